// The time that the explorer looks at, and the questions that it asks.
import type { Params } from '../answers/request'
import type { Labels } from '../answers/values'
import { selector } from '../parts/promql'

export const RANGES = [
  { value: '1h', label: 'last hour', ms: 3_600_000 },
  { value: '1d', label: 'last day', ms: 86_400_000 },
  { value: '7d', label: 'last week', ms: 7 * 86_400_000 },
  { value: 'all', label: 'all time', ms: Infinity },
] as const

export type RangeName = (typeof RANGES)[number]['value']

export function rangeNamed(text: string): (typeof RANGES)[number] {
  return RANGES.find((range) => range.value === text) ?? RANGES[0]
}

// Start and end of a range, cut to whole minutes so that the same question is asked once.
export function rangeParams(range: (typeof RANGES)[number], nowMs: number): Params {
  if (range.ms === Infinity) return {}
  const endSeconds = Math.ceil(nowMs / 60_000) * 60
  return { start: String(endSeconds - range.ms / 1000), end: String(endSeconds) }
}

export function matchParams(metric: string, conditions: Labels): Params {
  if (metric === '' && Object.keys(conditions).length === 0) return {}
  return { 'match[]': selector(metric, conditions) }
}

// The conditions of the URL, each as "name=value".
export function parseConditions(texts: readonly string[]): Labels {
  const pairs = texts.flatMap((text) => {
    const at = text.indexOf('=')
    return at > 0 ? [[text.slice(0, at), text.slice(at + 1)] as const] : []
  })
  return Object.fromEntries(pairs)
}
