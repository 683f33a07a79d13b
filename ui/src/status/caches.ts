// Hits of caches, out of /metrics.
import type { Sample } from '../answers/exposition'

export interface CacheUse {
  readonly name: string
  readonly requests: number
  readonly hits: number
}

const PAIRS = [
  ['index', 'item_type', 'thanos_store_index_cache_requests_total', 'thanos_store_index_cache_hits_total'],
  [
    'bucket',
    'operation',
    'thanos_store_bucket_cache_operation_requests_total',
    'thanos_store_bucket_cache_operation_hits_total',
  ],
] as const

// One for each kind of thing that a cache holds, in the order of names.
export function cachesOf(samples: readonly Sample[]): CacheUse[] {
  return PAIRS.flatMap(([cache, label, requests, hits]) => {
    const uses = new Map<string, CacheUse>()
    for (const sample of samples) {
      if (sample.name !== requests && sample.name !== hits) continue
      const name = `${cache}: ${sample.labels[label] ?? ''}`
      const use = uses.get(name) ?? { name, requests: 0, hits: 0 }
      const counted = sample.name === requests ? 'requests' : 'hits'
      uses.set(name, { ...use, [counted]: use[counted] + sample.value })
    }
    return [...uses.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  })
}
