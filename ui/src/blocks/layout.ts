// Where blocks stand: in groups by source, in rows by compaction level, in lanes where they would
// cover each other.
import type { Block } from '../answers/blocks'
import type { Labels } from '../answers/values'
import { findFaults, type Range } from './streams'

// One line of bars, sorted by time.
export interface Lane {
  readonly resolutionMs: number
  readonly blocks: readonly Block[]
  // Whether bars may lie over each other, since there was no room for further lanes.
  readonly crowded: boolean
}

export interface LevelRow {
  readonly level: number
  readonly lanes: readonly Lane[] // raw data first, then by resolution
}

export interface Fault extends Range {
  readonly kind: 'overlap' | 'gap'
  readonly resolutionMs: number
}

export interface BlockSource {
  readonly key: string // unique
  readonly labels: Labels
  readonly rows: readonly LevelRow[] // by level
  readonly faults: readonly Fault[] // by time
  readonly count: number
  readonly bytes: number
}

export interface BlockLayout {
  readonly sources: readonly BlockSource[] // by key
  readonly overlapping: ReadonlySet<Block>
  readonly superseded: ReadonlySet<Block>
}

// More of them in one row and resolution help nobody, and a row must not grow with hostile blocks.
export const MOST_LANES = 8

// `groupLabel` is the label by which sources are told apart; "": all labels.
export function layOut(blocks: readonly Block[], groupLabel: string): BlockLayout {
  const groups = new Map<string, Block[]>()
  for (const block of blocks) pushTo(groups, keyOf(block, groupLabel), block)
  const overlapping = new Set<Block>()
  const superseded = new Set<Block>()
  const sources: BlockSource[] = []
  for (const [key, members] of groups) {
    const faults: Fault[] = []
    for (const stream of streamsOf(members)) {
      const found = findFaults(stream)
      const resolutionMs = stream[0]?.resolutionMs ?? 0
      for (const range of found.overlaps) faults.push({ ...range, kind: 'overlap', resolutionMs })
      for (const range of found.gaps) faults.push({ ...range, kind: 'gap', resolutionMs })
      for (const block of found.overlapping) overlapping.add(block)
      for (const block of found.superseded) superseded.add(block)
    }
    sources.push({
      key,
      labels: groupLabel === '' ? (members[0]?.labels ?? {}) : labelsOf(members, groupLabel),
      rows: rowsOf(members),
      faults: faults.sort((a, b) => a.minMs - b.minMs),
      count: members.length,
      bytes: members.reduce((sum, block) => sum + block.bytes, 0),
    })
  }
  sources.sort((a, b) => (a.key < b.key ? -1 : 1))
  return { sources, overlapping, superseded }
}

function labelsOf(members: readonly Block[], groupLabel: string): Labels {
  const value = members[0]?.labels[groupLabel] ?? ''
  return Object.fromEntries([[groupLabel, value]])
}

function keyOf(block: Block, groupLabel: string): string {
  return groupLabel === '' ? block.labelsKey : (block.labels[groupLabel] ?? '')
}

function streamsOf(blocks: Block[]): Iterable<Block[]> {
  if (blocks.length === 1) return [blocks]
  const streams = new Map<string, Block[]>()
  for (const block of blocks) {
    pushTo(streams, `${String(block.resolutionMs)}@${block.labelsKey}`, block)
  }
  return streams.values()
}

function rowsOf(blocks: readonly Block[]): LevelRow[] {
  const levels = new Map<number, Block[]>()
  for (const block of blocks) pushTo(levels, block.level, block)
  return [...levels].sort(([a], [b]) => a - b).map(([level, members]) => ({ level, lanes: lanesOf(members) }))
}

function lanesOf(blocks: readonly Block[]): Lane[] {
  const resolutions = new Map<number, Block[]>()
  for (const block of blocks) pushTo(resolutions, block.resolutionMs, block)
  return [...resolutions]
    .sort(([a], [b]) => a - b)
    .flatMap(([resolutionMs, members]) => fillLanes(resolutionMs, members))
}

function fillLanes(resolutionMs: number, blocks: Block[]): Lane[] {
  blocks.sort((a, b) => a.minMs - b.minMs || a.maxMs - b.maxMs || (a.ulid < b.ulid ? -1 : 1))
  const lanes: { blocks: Block[]; endMs: number; crowded: boolean }[] = []
  for (const block of blocks) {
    let lane = lanes.find((candidate) => candidate.endMs <= block.minMs)
    if (!lane && lanes.length < MOST_LANES) {
      lane = { blocks: [], endMs: 0, crowded: false }
      lanes.push(lane)
    }
    if (!lane) {
      lane = lanes[lanes.length - 1]!
      lane.crowded = true
    }
    lane.endMs = lane.blocks.length === 0 ? block.maxMs : Math.max(lane.endMs, block.maxMs)
    lane.blocks.push(block)
  }
  return lanes.map((lane) => ({ resolutionMs, blocks: lane.blocks, crowded: lane.crowded }))
}

function pushTo<K>(map: Map<K, Block[]>, key: K, block: Block): void {
  const list = map.get(key)
  if (list) list.push(block)
  else map.set(key, [block])
}
