// Which rules and alerts the pages show, in which groups.
import type { Alert, AlertState, AlertingRule, Rule, RuleGroup } from '../answers/rules'
import { groupBy } from '../parts/groupBy'
import { isEmptyQuery, matches, parseQuery } from '../search/search'

export interface RuleFilter {
  readonly search: string
  readonly states: readonly string[] // of alerting rules; empty: all
  readonly health: readonly string[] // empty: all
  readonly types: readonly string[] // "alerting", "recording"; empty: all
}

// Groups with what matches of their rules; those of which nothing is left are left out.
export function filterRules(groups: readonly RuleGroup[], filter: RuleFilter): RuleGroup[] {
  const query = parseQuery(filter.search)
  const found: RuleGroup[] = []
  for (const group of groups) {
    const rules = group.rules.filter(
      (rule) =>
        passes(filter.types, rule.type) &&
        passes(filter.health, rule.health) &&
        (filter.states.length === 0 || (rule.type === 'alerting' && filter.states.includes(rule.state))) &&
        (isEmptyQuery(query) ||
          matches(query, [rule.name, rule.query, rule.lastError, group.name, group.file], rule.labels)),
    )
    if (rules.length > 0) found.push({ ...group, rules })
  }
  return found
}

function passes(chosen: readonly string[], value: string): boolean {
  return chosen.length === 0 || chosen.includes(value)
}

export function allRules(groups: readonly RuleGroup[]): Rule[] {
  return groups.flatMap((group) => group.rules)
}

// An alert with the rule that it comes from.
export interface ActiveAlert extends Alert {
  readonly rule: AlertingRule
}

export function activeAlerts(groups: readonly RuleGroup[]): ActiveAlert[] {
  return allRules(groups)
    .filter((rule) => rule.type === 'alerting')
    .flatMap((rule) => rule.alerts.map((alert) => ({ ...alert, rule })))
}

export function filterAlerts(
  alerts: readonly ActiveAlert[],
  filter: { readonly search: string; readonly states: readonly string[] },
): readonly ActiveAlert[] {
  const query = parseQuery(filter.search)
  return alerts.filter(
    (alert) =>
      passes(filter.states, alert.state) &&
      (isEmptyQuery(query) || matches(query, [alert.rule.name, ...Object.values(alert.annotations)], alert.labels)),
  )
}

export interface AlertGroup {
  readonly key: string
  readonly alerts: readonly ActiveAlert[]
  readonly firing: number
}

const STATE_ORDER: Record<AlertState, number> = { firing: 0, pending: 1, unknown: 2, inactive: 3 }

// What fires comes first, in groups and of groups.
export function groupAlerts(alerts: readonly ActiveAlert[], by: string): AlertGroup[] {
  const keyOf = (alert: ActiveAlert): string => {
    if (by === 'state') return alert.state
    if (by.startsWith('label:')) return alert.labels[by.slice('label:'.length)] ?? ''
    return alert.rule.name
  }
  return [...groupBy(alerts, keyOf)]
    .map(([key, members]) => ({
      key,
      alerts: [...members].sort(
        (a, b) => STATE_ORDER[a.state] - STATE_ORDER[b.state] || (b.activeAtMs ?? 0) - (a.activeAtMs ?? 0),
      ),
      firing: members.filter((alert) => alert.state === 'firing').length,
    }))
    .sort((a, b) => Number(b.firing > 0) - Number(a.firing > 0) || (a.key < b.key ? -1 : 1))
}
