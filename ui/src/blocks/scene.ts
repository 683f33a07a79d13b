// The picture of the blocks: rows below each other, bars along the time axis. Pixels, without a
// canvas: what is to be drawn, what lies at a point, and what is next to a bar.
import type { Block } from '../answers/blocks'
import { instantAt, positionOf, type Window } from '../timeline/axis'
import type { BlockLayout, BlockSource, Fault, Lane, LevelRow } from './layout'

export const LANE_HEIGHT = 14
export const BAR_HEIGHT = 11
export const HEADER_HEIGHT = 34
const ROW_PADDING = 3
const SOURCE_PADDING = 10

export type SceneRow =
  | { readonly kind: 'source'; readonly top: number; readonly height: number; readonly source: BlockSource }
  | {
      readonly kind: 'level'
      readonly top: number
      readonly height: number
      readonly source: BlockSource
      readonly row: LevelRow
      readonly last: boolean // of its source
    }

export interface Scene {
  readonly rows: readonly SceneRow[]
  readonly height: number
}

export function makeScene(layout: BlockLayout): Scene {
  const rows: SceneRow[] = []
  let top = 0
  for (const source of layout.sources) {
    rows.push({ kind: 'source', top, height: HEADER_HEIGHT, source })
    top += HEADER_HEIGHT
    source.rows.forEach((row, index) => {
      const last = index === source.rows.length - 1
      const height = row.lanes.length * LANE_HEIGHT + 2 * ROW_PADDING + (last ? SOURCE_PADDING : 0)
      rows.push({ kind: 'level', top, height, source, row, last })
      top += height
    })
  }
  return { rows, height: top }
}

// The rows between two heights, found by bisection.
export function rowsBetween(scene: Scene, top: number, bottom: number): readonly SceneRow[] {
  const first = firstIndex(scene.rows, (row) => row.top + row.height > top)
  const end = firstIndex(scene.rows, (row) => row.top >= bottom)
  return scene.rows.slice(first, end)
}

export interface Bar {
  readonly block: Block
  readonly x: number
  readonly width: number
}

// A bar is at least as wide as one can see.
const NARROWEST = 1.5

// The bars of a lane in a window `width` pixels wide. Of bars that fall onto the same pixel one
// is drawn, so that there are never more than pixels.
export function barsOf(lane: Lane, window: Window, width: number): Bar[] {
  const bars: Bar[] = []
  const { blocks } = lane
  let taken = -Infinity
  let index = lane.crowded ? 0 : firstIndex(blocks, (block) => block.maxMs >= window.fromMs)
  for (; index < blocks.length; ++index) {
    const block = blocks[index]!
    if (block.minMs > window.toMs) break
    if (block.maxMs < window.fromMs) continue
    const from = Math.max(positionOf(window, block.minMs) * width, -2)
    const to = Math.min(positionOf(window, block.maxMs) * width, width + 2)
    // The pixel of air lets neighbours look like two.
    const drawn = Math.max(to - from - 1, NARROWEST)
    if (from + drawn <= taken + 1 && drawn <= NARROWEST) continue
    bars.push({ block, x: from, width: drawn })
    taken = from + drawn
  }
  return bars
}

export interface Stripe {
  readonly fault: Fault
  readonly x: number
  readonly width: number
}

export function stripesOf(source: BlockSource, window: Window, width: number): Stripe[] {
  const stripes: Stripe[] = []
  for (const fault of source.faults) {
    if (fault.minMs > window.toMs) break
    if (fault.maxMs < window.fromMs) continue
    const x = Math.max(positionOf(window, fault.minMs) * width, 0)
    const end = Math.min(positionOf(window, fault.maxMs) * width, width)
    stripes.push({ fault, x, width: Math.max(end - x, 3) })
    if (stripes.length >= width) break
  }
  return stripes
}

export function laneTop(row: SceneRow, lane: number): number {
  return row.top + ROW_PADDING + lane * LANE_HEIGHT
}

// The block at a point of the scene, or the nearest within a few pixels, since bars can be narrow.
export function blockAt(scene: Scene, window: Window, width: number, x: number, y: number): Block | null {
  const row = rowsBetween(scene, y, y + 1)[0]
  if (row?.kind !== 'level') return null
  const lane = row.row.lanes[Math.floor((y - row.top - ROW_PADDING) / LANE_HEIGHT)]
  if (!lane) return null
  const ms = instantAt(window, x / width)
  const reach = ((window.toMs - window.fromMs) / width) * 3
  return nearest(lane, ms, reach)
}

// The block of a lane that holds an instant or is nearest to it, not further away than `reachMs`.
export function nearest(lane: Lane, ms: number, reachMs: number): Block | null {
  const { blocks } = lane
  let best: Block | null = null
  let bestMs = reachMs
  const first = lane.crowded ? 0 : Math.max(0, firstIndex(blocks, (block) => block.maxMs > ms) - 1)
  for (let index = first; index < blocks.length; ++index) {
    const block = blocks[index]!
    if (block.minMs - ms > bestMs) break
    const awayMs = Math.max(block.minMs - ms, ms - block.maxMs, 0)
    // The later one at a shared bound, which is where a block begins; the upper one of a crowd.
    if (awayMs <= bestMs) {
      best = block
      bestMs = awayMs
    }
  }
  return best
}

export interface Place {
  readonly row: number // of the scene
  readonly lane: number
  readonly index: number
}

export function placeOf(scene: Scene, block: Block): Place | null {
  for (let row = 0; row < scene.rows.length; ++row) {
    const candidate = scene.rows[row]!
    if (candidate.kind !== 'level' || candidate.row.level !== block.level) continue
    for (let lane = 0; lane < candidate.row.lanes.length; ++lane) {
      const index = candidate.row.lanes[lane]!.blocks.indexOf(block)
      if (index >= 0) return { row, lane, index }
    }
  }
  return null
}

export type Direction = 'left' | 'right' | 'up' | 'down' | 'first' | 'last'

// The block next to one, as an arrow key points; null at an edge. Without a block: the first of all.
export function neighbour(scene: Scene, block: Block | null, direction: Direction): Block | null {
  const place = block && placeOf(scene, block)
  if (!block || !place) return firstBlock(scene)
  const row = scene.rows[place.row]!
  if (row.kind !== 'level') return null
  const lane = row.row.lanes[place.lane]!
  switch (direction) {
    case 'left':
      return lane.blocks[place.index - 1] ?? null
    case 'right':
      return lane.blocks[place.index + 1] ?? null
    case 'first':
      return lane.blocks[0] ?? null
    case 'last':
      return lane.blocks.at(-1) ?? null
    case 'up':
    case 'down': {
      const next = laneBeside(scene, place, direction === 'up' ? -1 : 1)
      return next && nearest(next, (block.minMs + block.maxMs) / 2, Infinity)
    }
  }
}

function laneBeside(scene: Scene, place: Place, step: 1 | -1): Lane | null {
  const here = scene.rows[place.row]!
  const beside = here.kind === 'level' ? here.row.lanes[place.lane + step] : undefined
  if (beside) return beside
  for (let index = place.row + step; index >= 0 && index < scene.rows.length; index += step) {
    const row = scene.rows[index]!
    if (row.kind === 'level') return (step > 0 ? row.row.lanes[0] : row.row.lanes.at(-1)) ?? null
  }
  return null
}

function firstBlock(scene: Scene): Block | null {
  for (const row of scene.rows) {
    if (row.kind === 'level') return row.row.lanes[0]?.blocks[0] ?? null
  }
  return null
}

// The first index at which a condition holds that once true stays true; the length if nowhere.
function firstIndex<T>(list: readonly T[], holds: (item: T) => boolean): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(list[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
