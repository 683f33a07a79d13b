// The text of /metrics, as far as the page about the process needs it.

export interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g

// What can't be read is left out; so are comments.
export function parseExposition(text: string): Sample[] {
  const samples: Sample[] = []
  for (const line of text.split('\n')) {
    const found = LINE.exec(line)
    if (!found) continue
    const [, name = '', labels = '', number = ''] = found
    const value = numberOf(number)
    if (value === null) continue
    const pairs = new Map<string, string>()
    for (const [, label = '', quoted = ''] of labels.matchAll(LABEL)) pairs.set(label, unescape(quoted))
    samples.push({ name, labels: pairs, value })
  }
  return samples
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
}

function numberOf(text: string): number | null {
  if (text === '+Inf') return Infinity
  if (text === '-Inf') return -Infinity
  const number = Number(text)
  return Number.isNaN(number) ? null : number
}

// The one sample of a name, or their sum; null where there is none.
export function total(samples: readonly Sample[], name: string): number | null {
  const found = samples.filter((sample) => sample.name === name)
  return found.length === 0 ? null : found.reduce((sum, sample) => sum + sample.value, 0)
}

export interface CacheStatus {
  readonly name: string
  readonly items: number | null
  readonly bytes: number | null
  readonly maxBytes: number | null
  readonly requests: number
  readonly hits: number
  readonly evicted: number | null
}

interface CacheMetrics {
  readonly title: string
  readonly prefix: string
  readonly splitBy?: string // a label of which each value is a cache of its own
}

const CACHES: readonly CacheMetrics[] = [
  { title: 'Index cache', prefix: 'thanos_store_index_cache', splitBy: 'item_type' },
  { title: 'Cache in memory', prefix: 'thanos_cache_inmemory', splitBy: 'name' },
  { title: 'Memcached', prefix: 'thanos_cache_memcached', splitBy: 'name' },
  { title: 'Redis', prefix: 'thanos_cache_redis', splitBy: 'name' },
  { title: 'Reads of the bucket', prefix: 'thanos_store_bucket_cache_operation', splitBy: 'operation' },
  { title: 'Matchers', prefix: 'thanos_matchers_cache' },
]

// The caches that this process has.
export function cachesOf(samples: readonly Sample[]): CacheStatus[] {
  return CACHES.flatMap(({ title, prefix, splitBy }) => {
    const own = samples.filter((sample) => sample.name.startsWith(`${prefix}_`))
    const parts = splitBy
      ? new Set(own.map((sample) => sample.labels.get(splitBy)).filter((part) => part !== undefined))
      : new Set([''])
    return [...parts].sort().flatMap((part) => {
      const members = splitBy ? own.filter((sample) => sample.labels.get(splitBy) === part) : own
      const requests = total(members, `${prefix}_requests_total`)
      if (requests === null) return []
      return [
        {
          name: part === '' ? title : `${title}: ${part}`,
          items: total(members, `${prefix}_items`),
          bytes: total(members, `${prefix}_items_size_bytes`),
          // One bound for all kinds of items has no label.
          maxBytes: total(members, `${prefix}_max_size_bytes`) ?? total(own, `${prefix}_max_size_bytes`),
          requests,
          hits: total(members, `${prefix}_hits_total`) ?? 0,
          evicted: total(members, `${prefix}_items_evicted_total`),
        },
      ]
    })
  })
}
