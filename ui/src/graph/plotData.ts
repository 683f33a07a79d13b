// Columns for charts, made of the samples of an answer.
import { asFloat, type Series } from './result'
import type { Grid } from './ask'

export type Column = readonly (number | null)[]

// The first column has times in seconds, ascending; each other one the values of a series there.
// Null is a gap; NaN and the infinities are gaps, too, since they have no place.
export interface Columns {
  readonly times: readonly number[]
  readonly values: readonly Column[]
}

// All steps of the range, also those where no series has a sample, so that gaps are seen and the
// time axis is the one that was asked for.
export function makeColumns(series: readonly Series[], grid: Grid): Columns {
  const count = Math.floor((grid.endMs - grid.startMs) / grid.stepMs) + 1
  const times = Array.from({ length: count }, (_, step) => (grid.startMs + step * grid.stepMs) / 1000)
  return { times, values: series.map((one) => makeColumn(one, grid, count)) }
}

function makeColumn(series: Series, grid: Grid, count: number): Column {
  const column = new Array<number | null>(count).fill(null)
  for (const [time, text] of series.samples) {
    // Times are printed with milliseconds, so a step is found exactly.
    const step = Math.round((time * 1000 - grid.startMs) / grid.stepMs)
    if (step < 0 || step >= count) continue
    const value = asFloat(text)
    column[step] = Number.isFinite(value) ? value : null
  }
  return column
}

// Each column on top of those before it. Where a series has no sample it adds nothing and stays a gap.
// Values below zero are stacked downwards, on their own.
export function stackColumns(columns: readonly Column[]): Column[] {
  const above: number[] = []
  const below: number[] = []
  return columns.map((column) =>
    column.map((value, step) => {
      if (value === null) return null
      const sums = value < 0 ? below : above
      return (sums[step] = (sums[step] ?? 0) + value)
    }),
  )
}

// The bounds of the y axis: those of the data with some air, or a unit around the only value.
export function boundsOf(columns: readonly Column[]): readonly [number, number] {
  let low = Infinity
  let high = -Infinity
  for (const column of columns) {
    for (const value of column) {
      if (value === null) continue
      if (value < low) low = value
      if (value > high) high = value
    }
  }
  if (low > high) return [0, 1]
  if (low === high) {
    const air = low === 0 ? 1 : Math.abs(low) * 0.1
    return [low - air, high + air]
  }
  const air = (high - low) * 0.05
  // A graph of what is never negative does not begin below zero.
  return [low >= 0 && low < air ? 0 : low - air, high + air]
}

// The series whose line is nearest to a point, both in the values of the y axis; -1 for none.
export function nearest(columns: readonly Column[], step: number, value: number): number {
  let best = -1
  let distance = Infinity
  columns.forEach((column, at) => {
    const there = column[step]
    if (there === null || there === undefined) return
    const away = Math.abs(there - value)
    if (away < distance) {
      best = at
      distance = away
    }
  })
  return best
}

const SI: readonly (readonly [number, string])[] = [
  [1e24, 'Y'],
  [1e21, 'Z'],
  [1e18, 'E'],
  [1e15, 'P'],
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]

// A value beside an axis: at most five digits, with a unit of thousands.
export function shortNumber(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size < 1e-3 || size >= 1e27) return value.toExponential(2).replace(/\.?0+e/, 'e')
  const [factor, unit] = SI.find(([from]) => size >= from) ?? [1, '']
  return `${String(Number((value / factor).toPrecision(5)))}${unit}`
}
