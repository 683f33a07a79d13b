// Blocks made up for tests.
import { parseBlocks, type Block } from '../answers/blocks'

export interface BlockParts {
  ulid?: string
  minTime?: number
  maxTime?: number
  level?: number
  resolution?: number
  labels?: Record<string, string>
  sources?: string[]
  bytes?: number
}

export function metaOf(parts: BlockParts): Record<string, unknown> {
  const ulid = parts.ulid ?? '01M88B69YBB9HSA5NX9DP6YCQH'
  return {
    ulid,
    minTime: parts.minTime ?? 0,
    maxTime: parts.maxTime ?? 7_200_000,
    version: 1,
    stats: { numSamples: 10, numSeries: 2, numChunks: 3 },
    compaction: { level: parts.level ?? 1, sources: parts.sources ?? [ulid] },
    thanos: {
      labels: parts.labels ?? { cluster: 'eu1' },
      downsample: { resolution: parts.resolution ?? 0 },
      source: 'sidecar',
      files: [{ rel_path: 'index', size_bytes: parts.bytes ?? 1000 }],
    },
  }
}

export function makeBlock(parts: BlockParts): Block {
  const [block] = parseBlocks({ blocks: [metaOf(parts)] }).blocks
  if (!block) throw new Error('not a block')
  return block
}

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

// `count` blocks as a bucket of years holds them: of `sources` external label sets, two-hour ones at
// the end, compacted ones before, each compacted one also at 5 minutes and 1 hour.
export function bucketOf(count: number, sources: number): Block[] {
  const metas: Record<string, unknown>[] = []
  for (let number = 0; metas.length < count; ++number) {
    const labels = { cluster: `c${String(number % sources)}`, region: 'eu', replica: '0' }
    const index = Math.floor(number / sources)
    const level = 1 + (index % 4)
    const minTime = 1_700_000_000_000 + index * 2 * HOUR_MS
    for (const resolution of level > 2 ? [0, 300_000, 3_600_000] : [0]) {
      const ulid = `01M88B69YB${String(metas.length).padStart(16, '0')}`
      metas.push(metaOf({ ulid, minTime, maxTime: minTime + 2 * HOUR_MS, level, resolution, labels }))
    }
  }
  return [...parseBlocks({ blocks: metas.slice(0, count) }).blocks]
}
