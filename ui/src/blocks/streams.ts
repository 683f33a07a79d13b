// What is wrong with the blocks of a stream: where they overlap, and where there are none.
//
// A stream is the blocks of one set of external labels and one resolution. Each instant of it should
// be in one block. A block whose data is in a larger one too, because it was compacted and waits to
// be deleted, overlaps as a matter of course: it is superseded, and no fault.
import type { Block } from '../answers/blocks'

export interface Range {
  readonly minMs: number
  readonly maxMs: number
}

export interface StreamFaults {
  readonly overlaps: readonly Range[] // disjoint, by time
  readonly gaps: readonly Range[] // as well
  readonly overlapping: ReadonlySet<Block>
  readonly superseded: ReadonlySet<Block>
}

// Between the last sample before a restart and the first one after it there is no gap that anyone
// has to look into, as long as it is about a scrape interval.
export const SHORTEST_GAP_MS = 60_000

const NO_FAULTS: StreamFaults = {
  overlaps: [],
  gaps: [],
  overlapping: new Set(),
  superseded: new Set(),
}

// `blocks` are of one stream, in any order. Takes n log n time, and as much again as the blocks
// have sources.
export function findFaults(blocks: readonly Block[]): StreamFaults {
  if (blocks.length < 2) return NO_FAULTS
  const superseded = findSuperseded(blocks)
  const sorted = [...blocks].sort((a, b) => a.minMs - b.minMs || a.maxMs - b.maxMs)
  const { overlaps, overlapping } = findOverlaps(sorted.filter((block) => !superseded.has(block)))
  return { overlaps, overlapping, superseded, gaps: findGaps(sorted) }
}

function findSuperseded(blocks: readonly Block[]): Set<Block> {
  const largest = new Map<string, number>()
  for (const block of blocks) {
    for (const source of block.sources) {
      if (block.sources.length > (largest.get(source) ?? 0)) {
        largest.set(source, block.sources.length)
      }
    }
  }
  const superseded = new Set<Block>()
  for (const block of blocks) {
    const count = block.sources.length
    if (count > 0 && block.sources.every((source) => (largest.get(source) ?? 0) > count)) {
      superseded.add(block)
    }
  }
  return superseded
}

function findOverlaps(sorted: readonly Block[]): Pick<StreamFaults, 'overlaps' | 'overlapping'> {
  const overlaps: { minMs: number; maxMs: number }[] = []
  const overlapping = new Set<Block>()
  let last: Block | undefined // the block that reaches furthest
  for (const block of sorted) {
    if (last && block.minMs < last.maxMs) {
      overlapping.add(last).add(block)
      const maxMs = Math.min(block.maxMs, last.maxMs)
      const before = overlaps.at(-1)
      if (before && block.minMs <= before.maxMs) {
        before.maxMs = Math.max(before.maxMs, maxMs)
      } else {
        overlaps.push({ minMs: block.minMs, maxMs })
      }
    }
    if (!last || block.maxMs > last.maxMs) last = block
  }
  return { overlaps, overlapping }
}

function findGaps(sorted: readonly Block[]): Range[] {
  const gaps: Range[] = []
  let endMs = Infinity
  for (const block of sorted) {
    if (block.minMs - endMs > SHORTEST_GAP_MS) gaps.push({ minMs: endMs, maxMs: block.minMs })
    endMs = endMs === Infinity ? block.maxMs : Math.max(endMs, block.maxMs)
  }
  return gaps
}
