// /api/v1/metadata and /api/v1/label/<name>/values: which metrics and labels there are.
import { asObject, asObjects, asText, asTexts } from './values'

export interface Metadata {
  readonly type: string // "counter", "gauge", ...; "" when nobody says
  readonly help: string
  readonly unit: string
}

export interface Metric extends Metadata {
  readonly name: string
  // What other targets say of the metric, when they are not of one mind.
  readonly others: readonly Metadata[]
}

const UNSAID: Metadata = { type: '', help: '', unit: '' }

// Metrics that have metadata and those that have series, by name. A family such as a histogram has
// metadata under its own name and series under others.
export function mergeMetrics(metadata: unknown, names: readonly string[]): Metric[] {
  const metrics = new Map<string, Metric>()
  for (const [name, list] of Object.entries(asObject(metadata))) {
    const [first = UNSAID, ...others] = asObjects(list).map((item) => ({
      type: asText(item['type']),
      help: asText(item['help']),
      unit: asText(item['unit']),
    }))
    metrics.set(name, { name, ...first, others })
  }
  for (const name of names) {
    if (!metrics.has(name)) metrics.set(name, { name, ...familyOf(name, metrics), others: [] })
  }
  return [...metrics.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

const FAMILY_SUFFIXES = ['_bucket', '_count', '_sum', '_total', '_created', '_info'] as const

function familyOf(name: string, metrics: ReadonlyMap<string, Metric>): Metadata {
  const suffix = FAMILY_SUFFIXES.find((end) => name.endsWith(end))
  const family = suffix && metrics.get(name.slice(0, -suffix.length))
  return family ? { type: family.type, help: family.help, unit: family.unit } : UNSAID
}

export function parseNames(data: unknown): string[] {
  return asTexts(data)
}
