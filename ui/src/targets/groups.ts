// Which targets the page shows, in which groups.
import type { Target, TargetHealth } from '../answers/targets'
import { groupBy } from '../parts/groupBy'
import { isEmptyQuery, matches, parseQuery } from '../search/search'

export interface TargetFilter {
  readonly search: string
  readonly health: readonly string[] // empty: all
}

export function filterTargets(targets: readonly Target[], filter: TargetFilter): readonly Target[] {
  const query = parseQuery(filter.search)
  if (isEmptyQuery(query) && filter.health.length === 0) return targets
  return targets.filter(
    (target) =>
      (filter.health.length === 0 || filter.health.includes(target.health)) &&
      matches(query, [target.url, target.pool, target.lastError], target.labels),
  )
}

// What is down comes first, in groups and of groups.
const HEALTH_ORDER: Record<TargetHealth, number> = { down: 0, unknown: 1, up: 2 }

export interface TargetGroup {
  readonly key: string
  readonly targets: readonly Target[]
  readonly down: number
}

export function groupTargets(targets: readonly Target[], by: string): TargetGroup[] {
  const keyOf = (target: Target): string => {
    if (by === 'health') return target.health
    if (by.startsWith('label:')) return target.labels[by.slice('label:'.length)] ?? ''
    return target.pool
  }
  return [...groupBy(targets, keyOf)]
    .map(([key, members]) => ({
      key,
      targets: [...members].sort((a, b) => HEALTH_ORDER[a.health] - HEALTH_ORDER[b.health]),
      down: members.filter((target) => target.health === 'down').length,
    }))
    .sort((a, b) => Number(b.down > 0) - Number(a.down > 0) || (a.key < b.key ? -1 : 1))
}
