// /api/v1/blocks: the meta.json of the blocks of a bucket, and their marks.
import {
  asInstantMs,
  asLabels,
  asNumber,
  asObject,
  asObjects,
  asText,
  asTexts,
  asTimeMs,
  isObject,
  type JsonObject,
  type Labels,
} from './values'

export interface BlockFile {
  readonly path: string
  readonly bytes: number
}

export interface Block {
  readonly ulid: string
  readonly minMs: number
  readonly maxMs: number // exclusive
  readonly level: number
  readonly resolutionMs: number // 0: raw
  readonly labels: Labels
  readonly labelsKey: string // equal for equal labels
  readonly source: string // who made it: "sidecar", "compactor", ...
  readonly series: number
  readonly samples: number
  readonly chunks: number
  readonly tombstones: number
  readonly sources: readonly string[] // all ancestors of level 1
  readonly parents: readonly string[]
  readonly files: readonly BlockFile[]
  readonly bytes: number // of all files that meta.json names
  readonly uploadedMs: number | null
  readonly meta: JsonObject // as it came
}

export interface BlocksAnswer {
  readonly groupLabel: string // by which pages group; "": by all labels
  readonly blocks: readonly Block[]
  readonly unreadable: number // entries without an ID or a range, which no page can show
  readonly refreshedMs: number | null // null: nobody looked into the bucket yet
  readonly error: string // of the last look; "": none
}

export function parseBlocks(data: unknown): BlocksAnswer {
  const answer = asObject(data)
  const entries = Array.isArray(answer['blocks']) ? (answer['blocks'] as unknown[]) : []
  const blocks: Block[] = []
  for (const entry of entries) {
    const block = parseBlock(entry)
    if (block) blocks.push(block)
  }
  return {
    groupLabel: asText(answer['label']),
    blocks,
    unreadable: entries.length - blocks.length,
    refreshedMs: asInstantMs(answer['refreshedAt']),
    error: parseError(answer['err']),
  }
}

// An error of Thanos comes as an object, of which nothing can be read; ours is text.
function parseError(error: unknown): string {
  if (isObject(error)) return 'The server could not read the bucket; its log says why.'
  return asText(error)
}

function parseBlock(entry: unknown): Block | null {
  const meta = asObject(entry)
  const ulid = asText(meta['ulid'])
  const minMs = asNumber(meta['minTime'], NaN)
  const maxMs = asNumber(meta['maxTime'], NaN)
  if (ulid === '' || !(minMs <= maxMs)) return null
  const stats = asObject(meta['stats'])
  const compaction = asObject(meta['compaction'])
  const thanos = asObject(meta['thanos'])
  const labels = asLabels(thanos['labels'])
  const files = asObjects(thanos['files']).map((file) => ({
    path: asText(file['rel_path']),
    bytes: Math.max(0, asNumber(file['size_bytes'])),
  }))
  return {
    ulid,
    minMs,
    maxMs,
    level: asNumber(compaction['level']),
    resolutionMs: asNumber(asObject(thanos['downsample'])['resolution']),
    labels,
    labelsKey: JSON.stringify(Object.entries(labels)),
    source: asText(thanos['source']),
    series: asNumber(stats['numSeries']),
    samples: asNumber(stats['numSamples']),
    chunks: asNumber(stats['numChunks']),
    tombstones: asNumber(stats['numTombstones']),
    sources: asTexts(compaction['sources']),
    parents: asObjects(compaction['parents']).map((parent) => asText(parent['ulid'])),
    files,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    uploadedMs: asInstantMs(thanos['upload_time']),
    meta,
  }
}

export type MarkKind = 'deletion' | 'no-compact' | 'no-downsample'

export interface Mark {
  readonly kind: MarkKind
  readonly timeMs: number | null
  readonly details: string
  readonly reason: string
}

const MARK_KINDS: ReadonlyMap<string, MarkKind> = new Map([
  ['deletion-mark.json', 'deletion'],
  ['no-compact-mark.json', 'no-compact'],
  ['no-downsample-mark.json', 'no-downsample'],
])

// /api/v1/blocks/marks?id=: what lies beside a block.
export function parseMarks(data: unknown): Mark[] {
  const marks: Mark[] = []
  for (const item of asObjects(asObject(data)['marks'])) {
    const kind = MARK_KINDS.get(asText(item['marker']))
    if (kind === undefined) continue
    marks.push({
      kind,
      timeMs: asTimeMs(asNumber(item['time']) * 1000),
      details: asText(item['details']),
      reason: asText(item['reason']),
    })
  }
  return marks
}
