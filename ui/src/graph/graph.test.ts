import { describe, expect, it } from 'vitest'
import { gridOf, MOST_POINTS, questionOf } from './ask'
import { parseDuration, parseGoDuration, writeDuration, writeElapsed } from './duration'
import { parseInstant, writeInstant } from './instant'
import { MOST_PANELS, NEW_PANEL, readPanels, writePanels, type Panel } from './panels'

describe('durations', () => {
  it.each([
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['90s', 90_000],
    ['500ms', 500],
    ['2w', 1_209_600_000],
    ['1y', 31_536_000_000],
    ['90', 90_000],
    ['0.5', 500],
    [' 5m ', 300_000],
    ['59s500ms', 59_500],
    ['1d12h', 129_600_000],
    ['', null],
    ['0', null],
    ['0s', null],
    ['-1h', null],
    ['1h 30m', null],
    ['30m1h', null],
    ['x', null],
    ['1e3', null],
    ['<script>', null],
    ['999999999y', null],
    ['NaN', null],
    ['Infinity', null],
    ['1.5h', null],
  ])('%j is read', (text, ms) => expect(parseDuration(text)).toBe(ms))
  it.each([
    [1, '1ms'],
    [1000, '1s'],
    [59_500, '59s500ms'],
    [3_600_000, '1h'],
    [90_061_001, '1d1h1m1s1ms'],
    [0, '1ms'],
  ])('%d is written', (ms, text) => expect(writeDuration(ms)).toBe(text))
  it.each([
    ['0s', 0],
    ['350ns', 0.00035],
    ['1.5µs', 0.0015],
    ['2us', 0.002],
    ['12.25ms', 12.25],
    ['1m2.5s', 62_500],
    ['1h0m0s', 3_600_000],
    ['', null],
    ['5', null],
    ['ms', null],
    ['-1s', null],
    ['1s ', null],
  ])('%j of Go is read', (text, ms) => {
    const read = parseGoDuration(text)
    if (ms === null) expect(read).toBeNull()
    else expect(read).toBeCloseTo(ms, 9)
  })
  it.each([
    [0.35, '350µs'],
    [1.2345, '1.23ms'],
    [999, '999ms'],
    [12_340, '12.3s'],
  ])('%d ms elapsed', (ms, text) => expect(writeElapsed(ms)).toBe(text))
})

describe('instants', () => {
  it.each([
    ['2026-06-02 13:00:00', Date.UTC(2026, 5, 2, 13)],
    ['2026-06-02T13:00:00Z', Date.UTC(2026, 5, 2, 13)],
    ['2026-06-02 13:00', Date.UTC(2026, 5, 2, 13)],
    ['2026-06-02', Date.UTC(2026, 5, 2)],
    ['2026-06-02 13:00:00.25', Date.UTC(2026, 5, 2, 13, 0, 0, 250)],
    ['1780358414.162', 1_780_358_414_162],
    ['2026-02-31 00:00:00', null],
    ['2026-13-01 00:00:00', null],
    ['2026-06-02 25:00:00', null],
    ['2026-06-02 10:60:00', null],
    ['', null],
    ['now', null],
    ['"><svg onload=alert(1)>', null],
    ['99999999999999', null],
  ])('%j is read', (text, ms) => expect(parseInstant(text)).toBe(ms))
  it.each([0, 1_780_358_414_162, Date.UTC(2026, 5, 2, 13)])('%d is read as it is written', (ms) =>
    expect(parseInstant(writeInstant(ms))).toBe(ms),
  )
})

const read = (search: string) => readPanels(new URLSearchParams(search))
const one = (search: string) => read(search)[0]!

describe('addresses', () => {
  it('without a panel are of a new one', () => {
    expect(read('')).toEqual([NEW_PANEL])
    expect(read('x=1&g.expr=2&gx.expr=3&expr=up')).toEqual([NEW_PANEL])
  })

  it.each<[string, string, Partial<Panel>]>([
    [
      'Thanos',
      'g0.expr=up&g0.tab=0&g0.stacked=1&g0.range_input=2h&g0.max_source_resolution=5m&g0.deduplicate=0&g0.partial_response=1' +
        '&g0.store_matches=%5B%7B%22name%22%3A%22a%3A10901%22%2C%22labelSets%22%3A%5B%5D%7D%5D&g0.engine=thanos&g0.end_input=2026-06-02%2013%3A00%3A00',
      {
        expr: 'up',
        view: 'graph',
        style: 'stacked',
        rangeMs: 7_200_000,
        maxSourceResolution: '5m',
        dedup: false,
        partialResponse: true,
        stores: ['a:10901'],
        engine: 'thanos',
        endMs: Date.UTC(2026, 5, 2, 13),
      },
    ],
    [
      'Prometheus 2',
      'g0.expr=up&g0.tab=1&g0.moment_input=2026-06-02%2013%3A00%3A00',
      { expr: 'up', view: 'table', endMs: Date.UTC(2026, 5, 2, 13) },
    ],
    ['Prometheus 2, its step', 'g0.expr=up&g0.tab=0&g0.step_input=15', { expr: 'up', view: 'graph', stepMs: 15_000 }],
    [
      'Prometheus 3',
      'g0.expr=up&g0.tab=graph&g0.display_mode=heatmap&g0.res_type=fixed&g0.res_step=30&g0.range_input=30m',
      { expr: 'up', view: 'graph', style: 'heatmap', stepMs: 30_000, rangeMs: 1_800_000 },
    ],
    [
      'Prometheus 3, automatic steps',
      'g0.expr=up&g0.res_type=auto&g0.res_step=30&g0.tab=explain',
      { expr: 'up', view: 'explain' },
    ],
    [
      'an expression with all that is special',
      `g0.expr=${encodeURIComponent('a{b="+&=#%\n🎉"} + 1')}`,
      { expr: 'a{b="+&=#%\n🎉"} + 1' },
    ],
  ])('of %s open what they meant', (_, search, panel) => expect(one(search)).toEqual({ ...NEW_PANEL, ...panel }))

  it.each([
    'tab=7',
    'tab=__proto__',
    'tab=constructor',
    'range_input=%3Cscript%3E',
    'range_input=-1h',
    'end_input=never',
    'step_input=0',
    'engine=evil',
    'max_source_resolution=javascript:1',
    'deduplicate=maybe',
    'partial_response=2',
    'store_matches=%7B',
    'store_matches=%22x%22',
    'store_matches=%5B1%2Cnull%2C%7B%22name%22%3A7%7D%5D',
    'display_mode=toString',
    'stacked=yes',
    'analyze=x',
    'explain=both',
  ])('with %s count as without', (part) => expect(one(`g0.expr=up&g0.${part}`)).toEqual({ ...NEW_PANEL, expr: 'up' }))

  it('keep the order of panels, and no more than can be shown', () => {
    expect(read('g2.expr=c&g0.expr=a&g10.expr=d').map(({ expr }) => expr)).toEqual(['a', 'c', 'd'])
    const many = Array.from({ length: 200 }, (_, at) => `g${at}.expr=up`).join('&')
    expect(read(many)).toHaveLength(MOST_PANELS)
  })

  it('are read as they were written', () => {
    const full: Panel = {
      expr: 'sum by (a) (rate(x{b="\\"<&"}[5m]))',
      view: 'explain',
      style: 'heatmap',
      rangeMs: 59_500,
      endMs: 1_780_358_414_162,
      stepMs: 2_500,
      dedup: false,
      partialResponse: false,
      replicaLabels: ['replica', 'r"'],
      engine: 'prometheus',
      maxSourceResolution: '0s',
      stores: ['a:1', 'b "x"'],
      explainInstant: true,
      analyze: true,
      legend: 'job="a"',
      only: ['x{a="1"}', 'y'],
    }
    const panels = [full, NEW_PANEL, { ...NEW_PANEL, replicaLabels: [] }, { ...NEW_PANEL, partialResponse: true }]
    expect(read(writePanels(panels).toString())).toEqual(panels)
  })
})

describe('questions', () => {
  const panel: Panel = { ...NEW_PANEL, expr: 'up', view: 'graph', endMs: 1_000_000_000_000 }
  it('about ranges have steps that fit', () => {
    expect(questionOf(panel, 0)).toEqual({
      path: 'api/v1/query_range',
      grid: { startMs: 999_996_400_000, endMs: 1_000_000_000_000, stepMs: 14_000 },
      params: {
        query: 'up',
        dedup: 'true',
        'storeMatch[]': [],
        stats: 'true',
        start: '999996400',
        end: '1000000000',
        step: '14',
        partial_response: undefined,
        'replicaLabels[]': undefined,
        engine: undefined,
        max_source_resolution: undefined,
        analyze: undefined,
      },
    })
  })
  it.each([
    [1000, null, 1000],
    [250_000, null, 1000],
    [86_400_000, null, 345_000],
    [86_400_000, 60_000, 60_000],
    [86_400_000, 1, 7_855],
  ])('a range of %d with the step %s has one of %d', (rangeMs, stepMs, chosen) => {
    const grid = gridOf({ ...panel, rangeMs, stepMs }, 0)
    expect(grid.stepMs).toBe(chosen)
    expect((grid.endMs - grid.startMs) / grid.stepMs).toBeLessThanOrEqual(MOST_POINTS)
  })
  it('about now are about the time of the run', () => {
    expect(questionOf({ ...panel, view: 'table', endMs: null }, 1_500).params['time']).toBe('1.5')
  })
  it.each<[Partial<Panel>, string, Record<string, unknown>]>([
    [{ view: 'table' }, 'api/v1/query', { time: '1000000000', start: undefined }],
    [{ view: 'explain' }, 'api/v1/query_range_explain', { analyze: undefined, stats: undefined, step: '14' }],
    [{ view: 'explain', explainInstant: true }, 'api/v1/query_explain', { time: '1000000000' }],
    [{ view: 'explain', analyze: true }, 'api/v1/query_range', { analyze: 'true', stats: 'all' }],
    [{ analyze: true }, 'api/v1/query_range', { analyze: undefined }],
    [{ dedup: false, partialResponse: false }, 'api/v1/query_range', { dedup: 'false', partial_response: 'false' }],
    [{ replicaLabels: [] }, 'api/v1/query_range', { 'replicaLabels[]': [''] }],
    [
      { replicaLabels: ['a', 'b'], engine: 'prometheus' },
      'api/v1/query_range',
      { 'replicaLabels[]': ['a', 'b'], engine: 'prometheus' },
    ],
    [
      { stores: ['a:1', '"}'] },
      'api/v1/query_range',
      { 'storeMatch[]': ['{__address__="a:1"}', '{__address__="\\"}"}'] },
    ],
    [{ maxSourceResolution: 'auto' }, 'api/v1/query_range', { max_source_resolution: 'auto' }],
  ])('%j asks %s', (change, path, params) => {
    const question = questionOf({ ...panel, ...change }, 0)
    expect(question.path).toBe(path)
    expect(question.params).toMatchObject(
      Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)),
    )
    for (const [name, value] of Object.entries(params))
      if (value === undefined) expect(question.params[name]).toBeUndefined()
  })
})
