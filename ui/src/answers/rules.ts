// /api/v1/rules and the alerts in it.
import { asInstantMs, asLabels, asNumber, asObject, asObjects, asText, type JsonObject, type Labels } from './values'

export type AlertState = 'firing' | 'pending' | 'inactive' | 'unknown'
export type RuleHealth = 'ok' | 'err' | 'unknown'

export interface Alert {
  readonly labels: Labels
  readonly annotations: Labels
  readonly state: AlertState
  readonly activeAtMs: number | null
  readonly value: string
}

interface RuleBase {
  readonly name: string
  readonly query: string
  readonly labels: Labels
  readonly health: RuleHealth
  readonly lastError: string // "": none
  readonly evaluationSeconds: number
  readonly lastEvaluationMs: number | null
}

export interface AlertingRule extends RuleBase {
  readonly type: 'alerting'
  readonly state: AlertState
  readonly forSeconds: number
  readonly keepFiringForSeconds: number
  readonly annotations: Labels
  readonly alerts: readonly Alert[]
}

export interface RecordingRule extends RuleBase {
  readonly type: 'recording'
}

export type Rule = AlertingRule | RecordingRule

export interface RuleGroup {
  readonly name: string
  readonly file: string
  readonly rules: readonly Rule[]
  readonly intervalSeconds: number
  readonly evaluationSeconds: number
  readonly lastEvaluationMs: number | null
  readonly abortsOnPartialResponse: boolean
}

// In the order of the answer, which is that of files and groups.
export function parseRuleGroups(data: unknown): RuleGroup[] {
  return asObjects(asObject(data)['groups']).map((group) => ({
    name: asText(group['name']),
    file: asText(group['file']),
    rules: asObjects(group['rules']).map(parseRule),
    intervalSeconds: asNumber(group['interval']),
    evaluationSeconds: asNumber(group['evaluationTime']),
    lastEvaluationMs: asInstantMs(group['lastEvaluation']),
    abortsOnPartialResponse: asText(group['partialResponseStrategy']) === 'ABORT',
  }))
}

function parseRule(rule: JsonObject): Rule {
  const base: RuleBase = {
    name: asText(rule['name']),
    query: asText(rule['query']),
    labels: asLabels(rule['labels']),
    health: parseHealth(rule['health']),
    lastError: asText(rule['lastError']),
    evaluationSeconds: asNumber(rule['evaluationTime']),
    lastEvaluationMs: asInstantMs(rule['lastEvaluation']),
  }
  if (rule['type'] !== 'alerting') return { ...base, type: 'recording' }
  return {
    ...base,
    type: 'alerting',
    state: parseState(rule['state']),
    forSeconds: asNumber(rule['duration']),
    keepFiringForSeconds: asNumber(rule['keepFiringFor']),
    annotations: asLabels(rule['annotations']),
    alerts: asObjects(rule['alerts']).map(parseAlert),
  }
}

function parseAlert(alert: JsonObject): Alert {
  return {
    labels: asLabels(alert['labels']),
    annotations: asLabels(alert['annotations']),
    state: parseState(alert['state']),
    activeAtMs: asInstantMs(alert['activeAt']),
    value: asText(alert['value']),
  }
}

function parseState(value: unknown): AlertState {
  const state = asText(value).toLowerCase()
  return state === 'firing' || state === 'pending' || state === 'inactive' ? state : 'unknown'
}

function parseHealth(value: unknown): RuleHealth {
  const health = asText(value).toLowerCase()
  return health === 'ok' || health === 'err' ? health : 'unknown'
}
