// A time axis: which part of time is seen, where an instant stands on it, and where its ticks are.
// Times are milliseconds since 1970, all in UTC, as the ranges of blocks are cut.

export interface Window {
  readonly fromMs: number
  readonly toMs: number // above fromMs
}

export interface Tick {
  readonly ms: number
  readonly label: string
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

// Nothing on these pages is cut finer than this.
export const MIN_SPAN_MS = MINUTE

const STEPS: readonly number[] = [
  ...[10, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14].map((n) => n * DAY),
]
const MONTH_STEPS: readonly number[] = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200]

// The window that shows all of these ranges, with a little air; null without any.
export function windowAround(ranges: Iterable<{ readonly minMs: number; readonly maxMs: number }>): Window | null {
  let fromMs = Infinity
  let toMs = -Infinity
  for (const range of ranges) {
    fromMs = Math.min(fromMs, range.minMs)
    toMs = Math.max(toMs, range.maxMs)
  }
  if (fromMs > toMs) return null
  const air = Math.max((toMs - fromMs) * 0.01, MIN_SPAN_MS)
  return { fromMs: Math.floor(fromMs - air), toMs: Math.ceil(toMs + air) }
}

// Where an instant stands, as a fraction of the width; below 0 and above 1 outside of the window.
export function positionOf(window: Window, ms: number): number {
  return (ms - window.fromMs) / (window.toMs - window.fromMs)
}

export function instantAt(window: Window, position: number): number {
  return window.fromMs + position * (window.toMs - window.fromMs)
}

// The window `factor` times as wide, with the instant at `position` staying where it is. Never
// wider than `bounds`, nor outside of it.
export function zoom(window: Window, factor: number, position: number, bounds: Window): Window {
  const whole = bounds.toMs - bounds.fromMs
  const span = Math.min(Math.max((window.toMs - window.fromMs) * factor, MIN_SPAN_MS), whole)
  const fromMs = instantAt(window, position) - position * span
  return within({ fromMs, toMs: fromMs + span }, bounds)
}

// The window moved by a fraction of its own width.
export function pan(window: Window, fraction: number, bounds: Window): Window {
  const shift = (window.toMs - window.fromMs) * fraction
  return within({ fromMs: window.fromMs + shift, toMs: window.toMs + shift }, bounds)
}

// The window moved, and only then narrowed, so that it lies in `bounds`; at least MIN_SPAN_MS wide.
export function within(window: Window, bounds: Window): Window {
  const whole = bounds.toMs - bounds.fromMs
  const span = Math.min(Math.max(window.toMs - window.fromMs, MIN_SPAN_MS), whole)
  const fromMs = Math.min(Math.max(window.fromMs, bounds.fromMs), bounds.toMs - span)
  return { fromMs: Math.round(fromMs), toMs: Math.round(fromMs + span) }
}

// At most `most` ticks at round instants.
export function ticks(window: Window, most: number): Tick[] {
  const span = window.toMs - window.fromMs
  const room = Math.max(1, Math.floor(most))
  const step = STEPS.find((candidate) => span / candidate <= room)
  const result: Tick[] = []
  if (step !== undefined) {
    // Weeks begin on Mondays; 1970 began on a Thursday.
    const origin = step % (7 * DAY) === 0 ? 4 * DAY : 0
    let ms = origin + Math.ceil((window.fromMs - origin) / step) * step
    for (; ms <= window.toMs && result.length < room; ms += step) {
      result.push({ ms, label: tickLabel(ms, step) })
    }
    return result
  }
  const months =
    MONTH_STEPS.find((candidate) => span / (candidate * 30 * DAY) <= room) ??
    Math.ceil(span / (30 * DAY * room) / 1200) * 1200
  const first = new Date(window.fromMs)
  let month = Math.ceil((first.getUTCFullYear() * 12 + first.getUTCMonth()) / months) * months
  for (; result.length < room; month += months) {
    const ms = startOfMonth(month)
    if (!(ms <= window.toMs)) break
    if (ms >= window.fromMs) result.push({ ms, label: monthLabel(month, months) })
  }
  return result
}

// Date.UTC takes the years 0 to 99 for those of the last century.
function startOfMonth(month: number): number {
  return new Date(0).setUTCFullYear(Math.floor(month / 12), month % 12, 1)
}

function monthLabel(month: number, step: number): string {
  const year = String(Math.floor(month / 12))
  return step % 12 === 0 ? year : `${year}-${twoDigits((month % 12) + 1)}`
}

function tickLabel(ms: number, step: number): string {
  const date = new Date(ms)
  const day = `${twoDigits(date.getUTCMonth() + 1)}-${twoDigits(date.getUTCDate())}`
  if (step >= DAY)
    return date.getUTCMonth() === 0 && date.getUTCDate() <= step / DAY ? `${String(date.getUTCFullYear())}-${day}` : day
  const minute = `${twoDigits(date.getUTCHours())}:${twoDigits(date.getUTCMinutes())}`
  if (ms % DAY === 0) return day
  return step >= MINUTE ? minute : `${minute}:${twoDigits(date.getUTCSeconds())}`
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
