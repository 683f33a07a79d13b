// Heat maps of histograms: how many observations were in which bucket at which time.
import type { Grid } from './ask'
import { asFloat, type Series } from './result'

export interface Cell {
  readonly step: number // of the grid
  readonly low: number // positions in `bounds`
  readonly high: number
  readonly count: number // above zero
}

export interface HeatMap {
  // The bounds of all buckets, ascending. Rows between them are drawn equally high, whatever they span.
  readonly bounds: readonly number[]
  readonly cells: readonly Cell[]
  readonly most: number // the largest count
}

interface Span {
  readonly step: number
  readonly low: number
  readonly high: number
  readonly count: number
}

// Null when the series are no histograms: neither native ones nor buckets with a label "le".
// Histograms of several series are added up.
export function makeHeatMap(series: readonly Series[], grid: Grid): HeatMap | null {
  const spans = [...nativeSpans(series, grid), ...classicSpans(series, grid)].filter(({ low, high }) => low < high)
  if (spans.length === 0) return null
  const bounds = [...new Set(spans.flatMap(({ low, high }) => [low, high]))].sort((a, b) => a - b)
  const positions = new Map(bounds.map((bound, at) => [bound, at]))
  const sums = new Map<string, Cell>()
  for (const { step, low, high, count } of spans) {
    if (!(count > 0)) continue
    const from = positions.get(low) ?? 0
    const to = positions.get(high) ?? 0
    const key = `${step} ${from} ${to}`
    sums.set(key, { step, low: from, high: to, count: count + (sums.get(key)?.count ?? 0) })
  }
  const cells = [...sums.values()]
  return coarsen({ bounds, cells, most: mostOf(cells) })
}

// More rows than these are too low to be seen.
const MOST_ROWS = 64

// The same with fewer rows, of several buckets each. A bucket over several rows counts in each for the
// part of it that is there.
export function coarsen(map: HeatMap, mostRows = MOST_ROWS): HeatMap {
  const last = map.bounds.length - 1
  if (last <= mostRows) return map
  const height = Math.ceil(last / mostRows)
  const bounds = map.bounds.filter((_, at) => at % height === 0 || at === last)
  const sums = new Map<string, Cell>()
  for (const { step, low, high, count } of map.cells) {
    for (let row = Math.floor(low / height); row * height < high; ++row) {
      const overlap = Math.min(high, (row + 1) * height) - Math.max(low, row * height)
      const key = `${step} ${row}`
      const before = sums.get(key)?.count ?? 0
      sums.set(key, { step, low: row, high: row + 1, count: before + (count * overlap) / (high - low) })
    }
  }
  const cells = [...sums.values()]
  return { bounds, cells, most: mostOf(cells) }
}

function mostOf(cells: readonly Cell[]): number {
  return cells.reduce((most, { count }) => Math.max(most, count), 0)
}

function stepOf(time: number, grid: Grid): number {
  return Math.round((time * 1000 - grid.startMs) / grid.stepMs)
}

function nativeSpans(series: readonly Series[], grid: Grid): Span[] {
  return series.flatMap(({ histograms }) =>
    histograms.flatMap(([time, { buckets }]) =>
      buckets.map(({ low, high, count }) => ({ step: stepOf(time, grid), low, high, count })),
    ),
  )
}

// Classic buckets count all observations up to their bound, so each is the difference to the one before.
function classicSpans(series: readonly Series[], grid: Grid): Span[] {
  const totals = new Map<number, Map<number, number>>() // by bound, by step
  for (const { labels, samples } of series) {
    const bound = boundOf(labels['le'])
    if (Number.isNaN(bound)) continue
    const steps = totals.get(bound) ?? new Map<number, number>()
    totals.set(bound, steps)
    for (const [time, text] of samples) {
      const step = stepOf(time, grid)
      const value = asFloat(text)
      if (Number.isFinite(value)) steps.set(step, (steps.get(step) ?? 0) + value)
    }
  }
  const bounds = [...totals.keys()].sort((a, b) => a - b)
  const before = new Map<number, number>()
  return bounds.flatMap((high, at) => {
    const low = at > 0 ? (bounds[at - 1] ?? 0) : high > 0 ? 0 : -Infinity
    return [...(totals.get(high) ?? [])].map(([step, total]) => {
      const count = total - (before.get(step) ?? 0)
      before.set(step, total)
      return { step, low, high, count }
    })
  })
}

function boundOf(le: string | undefined): number {
  return le === undefined ? NaN : asFloat(le)
}

// Whether a heat map is worth offering.
export function hasHistograms(series: readonly Series[]): boolean {
  return series.some(({ labels, histograms }) => histograms.length > 0 || !Number.isNaN(boundOf(labels['le'])))
}

// How strong the colour of a count is, from 0.12 to 1. The eye sees ratios, so it follows the logarithm.
export function strength(count: number, most: number): number {
  if (most <= 0 || count <= 0) return 0
  const share = Math.log1p((count / most) * 99) / Math.log(100)
  return 0.12 + 0.88 * Math.min(share, 1)
}
