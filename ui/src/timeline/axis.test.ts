import { describe, expect, it } from 'vitest'
import { MIN_SPAN_MS, instantAt, pan, positionOf, ticks, windowAround, within, zoom } from './axis'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.UTC(2026, 5, 1)

describe('ticks', () => {
  it.each([
    ['an hour', START, START + HOUR, 6, ['06-01', '00:10', '00:20', '00:30', '00:40', '00:50']],
    ['two minutes', START + 1, START + 120_000, 4, ['00:00:30', '00:01:00', '00:01:30', '00:02:00']],
    ['a day', START, START + DAY, 5, ['06-01', '06:00', '12:00', '18:00', '06-02']],
    ['weeks from Mondays', START + 1, START + 30 * DAY, 5, ['06-08', '06-15', '06-22', '06-29']],
    [
      'months',
      Date.UTC(2026, 0, 5),
      Date.UTC(2026, 6, 2),
      6,
      ['2026-02', '2026-03', '2026-04', '2026-05', '2026-06', '2026-07'],
    ],
    ['years', Date.UTC(2020, 5), Date.UTC(2026, 6), 8, ['2021', '2022', '2023', '2024', '2025', '2026']],
    ['the turn of a year', Date.UTC(2025, 11, 31), Date.UTC(2026, 0, 3), 4, ['12-31', '2026-01-01', '01-02', '01-03']],
  ])('of %s', (_, fromMs, toMs, most, labels) => {
    const found = ticks({ fromMs, toMs }, most).map((tick) => tick.label)
    expect(found).toEqual(labels)
  })

  it.each([
    [1, MIN_SPAN_MS],
    [3, HOUR],
    [7, 400 * DAY],
    [10, 200_000 * DAY],
    [0, DAY],
    [5, 1.6e16],
  ])('are at most %d and inside of a window of %d ms', (most, span) => {
    for (const fromMs of [-8e15, -62_135_596_800_000, 0, START + 12_345]) {
      const window = { fromMs, toMs: Math.min(fromMs + span, 8.64e15) }
      const found = ticks(window, most)
      expect(found.length).toBeLessThanOrEqual(Math.max(1, most))
      for (const tick of found) {
        expect(tick.ms).toBeGreaterThanOrEqual(window.fromMs)
        expect(tick.ms).toBeLessThanOrEqual(window.toMs)
        expect(tick.label).not.toContain('NaN')
      }
    }
  })
})

describe('windows', () => {
  const bounds = { fromMs: START, toMs: START + 10 * DAY }

  it('show all ranges with some air', () => {
    const window = windowAround([
      { minMs: START + DAY, maxMs: START + 2 * DAY },
      { minMs: START, maxMs: START + HOUR },
    ])
    expect(window).not.toBeNull()
    expect(window!.fromMs).toBeLessThan(START)
    expect(window!.toMs).toBeGreaterThan(START + 2 * DAY)
    expect(window!.toMs - window!.fromMs).toBeLessThan(2.1 * DAY)
    expect(windowAround([])).toBeNull()
    expect(windowAround([{ minMs: 5, maxMs: 5 }])).toEqual({ fromMs: -60_000 + 5, toMs: 60_005 })
  })

  it('place instants, and find them again', () => {
    expect(positionOf(bounds, START + 5 * DAY)).toBe(0.5)
    expect(instantAt(bounds, 0.25)).toBe(START + 2.5 * DAY)
  })

  it('zoom around what the pointer is at', () => {
    const at = 0.3
    const nearer = zoom(bounds, 0.5, at, bounds)
    expect(nearer.toMs - nearer.fromMs).toBe(5 * DAY)
    expect(instantAt(nearer, at)).toBeCloseTo(instantAt(bounds, at), 0)
    expect(zoom(nearer, 100, 0.9, bounds)).toEqual(bounds)
    const nearest = zoom(bounds, 1e-9, 1, bounds)
    expect(nearest).toEqual({ fromMs: bounds.toMs - MIN_SPAN_MS, toMs: bounds.toMs })
  })

  it('stay in their bounds when they move', () => {
    const window = { fromMs: START + DAY, toMs: START + 2 * DAY }
    expect(pan(window, 1, bounds)).toEqual({ fromMs: START + 2 * DAY, toMs: START + 3 * DAY })
    expect(pan(window, -99, bounds)).toEqual({ fromMs: START, toMs: START + DAY })
    expect(pan(window, 99, bounds)).toEqual({ fromMs: START + 9 * DAY, toMs: START + 10 * DAY })
    expect(within({ fromMs: 0, toMs: 8e15 }, bounds)).toEqual(bounds)
    expect(within({ fromMs: START + 5, toMs: START - 5 }, bounds)).toEqual({
      fromMs: START + 5,
      toMs: START + 5 + MIN_SPAN_MS,
    })
  })
})
