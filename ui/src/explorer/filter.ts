// Which metrics the explorer shows.
import type { Metric } from '../answers/metrics'
import { matches, parseQuery } from '../search/search'

export const UNKNOWN_TYPE = 'unknown'

export function typeOf(metric: Metric): string {
  return metric.type === '' ? UNKNOWN_TYPE : metric.type
}

// Those whose name, help or unit hold each word, of one of the types; no types: of any.
export function filterMetrics(metrics: readonly Metric[], search: string, types: readonly string[]): Metric[] {
  const query = parseQuery(search)
  return metrics.filter(
    (metric) =>
      (types.length === 0 || types.includes(typeOf(metric))) &&
      matches(query, [metric.name, metric.help, metric.unit], {}),
  )
}
