// /api/v1/stores: the endpoints of a querier.
import { asInstantMs, asLabels, asObject, asObjects, asText, asTimeMs, type Labels } from './values'

export interface Store {
  readonly type: string // "sidecar", "store", ...
  readonly name: string // the address
  readonly lastCheckMs: number | null
  readonly lastError: string | null // null: healthy
  readonly labelSets: readonly Labels[]
  readonly minMs: number | null // null: without a bound
  readonly maxMs: number | null
  readonly holdsData: boolean // false: the server says that its range is empty
}

// Sorted by type and name.
export function parseStores(data: unknown): Store[] {
  const stores: Store[] = []
  for (const [type, list] of Object.entries(asObject(data))) {
    for (const entry of asObjects(list)) {
      const error = asText(entry['lastError'])
      const minMs = asTimeMs(entry['minTime'])
      const maxMs = asTimeMs(entry['maxTime'])
      stores.push({
        type,
        name: asText(entry['name']),
        lastCheckMs: asInstantMs(entry['lastCheck']),
        lastError: error === '' ? null : error,
        labelSets: asObjects(entry['labelSets']).map(asLabels),
        minMs,
        maxMs,
        holdsData: holdsData(entry['minTime'], entry['maxTime']),
      })
    }
  }
  return stores.sort((a, b) => compare(a.type, b.type) || compare(a.name, b.name))
}

// An endpoint that holds nothing yet says so by a minimum above the maximum.
function holdsData(min: unknown, max: unknown): boolean {
  return typeof min === 'number' && typeof max === 'number' && min <= max
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
