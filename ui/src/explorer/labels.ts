// The labels of a metric, out of its series.
import { asLabels, asArray } from '../answers/values'

export interface LabelUse {
  readonly name: string
  readonly values: number // different ones
  readonly examples: readonly string[]
}

export interface MetricUse {
  readonly series: number
  readonly labels: readonly LabelUse[] // the one with the most values first
}

const EXAMPLES = 5

export function parseUse(data: unknown): MetricUse {
  const series = asArray(data)
  const values = new Map<string, Set<string>>()
  for (const one of series) {
    for (const [name, value] of Object.entries(asLabels(one))) {
      if (name === '__name__') continue
      const known = values.get(name) ?? new Set()
      values.set(name, known.add(value))
    }
  }
  const labels = [...values].map(([name, known]) => ({
    name,
    values: known.size,
    examples: [...known].sort().slice(0, EXAMPLES),
  }))
  return { series: series.length, labels: labels.sort((a, b) => b.values - a.values || (a.name < b.name ? -1 : 1)) }
}
