import { describe, expect, it } from 'vitest'
import { colourOf } from './colours'
import { coarsen, hasHistograms, makeHeatMap, strength } from './heatMap'
import { boundsOf, makeColumns, nearest, shortNumber, stackColumns } from './plotData'
import { readPlan } from './plan'
import { readLack, readResult, readStatistics, writeSeries, type Result, type Series } from './result'
import { asLabels } from '../answers/values'

const GRID = { startMs: 1_000_000, endMs: 1_040_000, stepMs: 10_000 } // 1000 s to 1040 s, five steps

const seriesOf = (result: unknown[], resultType = 'matrix'): readonly Series[] => {
  const read = readResult({ resultType, result }) as Result & { series: readonly Series[] }
  return read.series
}
const values = (metric: object, ...pairs: [number, string][]) => ({ metric, values: pairs })

describe('columns', () => {
  const columns = (...pairs: [number, string][]) => makeColumns(seriesOf([values({}, ...pairs)]), GRID)
  it('have all steps of the range, and gaps', () => {
    expect(columns([1010, '1.5'], [1030, '-2'])).toEqual({
      times: [1000, 1010, 1020, 1030, 1040],
      values: [[null, 1.5, null, -2, null]],
    })
  })
  it.each<[string, [number, string][], (number | null)[]]>([
    [
      'what has no place is a gap',
      [
        [1000, 'NaN'],
        [1010, '+Inf'],
        [1020, '-Inf'],
        [1030, '0'],
      ],
      [null, null, null, 0, null],
    ],
    [
      'text that is no number is one',
      [
        [1000, 'x'],
        [1010, ''],
        [1020, '<b>'],
      ],
      [null, null, null, null, null],
    ],
    [
      'times outside are left out',
      [
        [0, '1'],
        [990, '2'],
        [1050, '3'],
        [1e300, '4'],
        [-5, '5'],
      ],
      [null, null, null, null, null],
    ],
    [
      'numbers of all sizes',
      [
        [1000, '1e308'],
        [1010, '5e-324'],
        [1020, '-0'],
      ],
      [1e308, 5e-324, -0, null, null],
    ],
    [
      'the last of two at one time counts',
      [
        [1000, '1'],
        [1000, '2'],
      ],
      [2, null, null, null, null],
    ],
  ])('%s', (_, pairs, column) => expect(columns(...pairs).values[0]).toEqual(column))
  it('find steps of milliseconds exactly', () => {
    const grid = { startMs: 1_780_401_600_123, endMs: 1_780_401_600_123 + 9_999 * 77, stepMs: 77 }
    const pairs = Array.from({ length: 10_000 }, (_, at): [number, string] => [
      Number(((grid.startMs + at * 77) / 1000).toFixed(3)),
      String(at),
    ])
    const { values: made } = makeColumns(seriesOf([values({}, ...pairs)]), grid)
    expect(made[0]).toEqual(Array.from({ length: 10_000 }, (_, at) => at))
  })
  it('of 200 series with 10,000 points are made while nobody notices', () => {
    const grid = { startMs: 0, endMs: 9_999_000, stepMs: 1000 }
    const pairs = Array.from({ length: 10_000 }, (_, at): [number, string] => [at, String(at % 97)])
    const series = seriesOf(Array.from({ length: 200 }, (_, at) => values({ at: String(at) }, ...pairs)))
    const began = performance.now()
    const made = makeColumns(series, grid)
    boundsOf(stackColumns(made.values))
    // A fraction of a second; the bound only tells it from what is quadratic.
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(made.values).toHaveLength(200)
  })
})

describe('stacks', () => {
  it('add what is above zero upwards, and the rest downwards', () => {
    expect(
      stackColumns([
        [1, 2, null, -1],
        [10, null, 3, -2],
        [100, 5, null, 4],
      ]),
    ).toEqual([
      [1, 2, null, -1],
      [11, null, 3, -3],
      [111, 7, null, 4],
    ])
  })
  it('change nothing of what they are made of', () => {
    const column = [1, 2]
    stackColumns([column, column])
    expect(column).toEqual([1, 2])
  })
})

describe('the y axis', () => {
  it.each([
    [[[0, 100]], [0, 105]],
    [[[1, 100]], [0, 104.95]],
    [[[50, 100]], [47.5, 102.5]],
    [[[-100, 100]], [-110, 110]],
    [[[5, 5]], [4.5, 5.5]],
    [[[0]], [-1, 1]],
    [[[-10]], [-11, -9]],
    [[], [0, 1]],
    [[[null, null]], [0, 1]],
    [
      [
        [null, 3],
        [1, null],
      ],
      [0.9, 3.1],
    ],
  ])('%j', (columns, [low, high]) => {
    const [from, to] = boundsOf(columns)
    expect(from).toBeCloseTo(low!, 9)
    expect(to).toBeCloseTo(high!, 9)
  })
  it.each([
    [0, '0'],
    [1, '1'],
    [-1.5, '-1.5'],
    [999, '999'],
    [1000, '1k'],
    [1_234_567, '1.2346M'],
    [2e9, '2G'],
    [1e27, '1e+27'],
    [0.00012345, '1.23e-4'],
    [0.5, '0.5'],
    [1e-9, '1e-9'],
    [1e25, '10Y'],
    [123456.789, '123.46k'],
    [Infinity, 'Infinity'],
  ])('%d is %s', (value, text) => expect(shortNumber(value)).toBe(text))
})

describe('the nearest line', () => {
  const columns = [
    [1, 5],
    [10, null],
    [null, null],
  ]
  it.each([
    [0, 2, 0],
    [0, 8, 1],
    [1, 100, 0],
    [7, 0, -1],
  ])('at step %d and %d', (step, value, line) => expect(nearest(columns, step, value)).toBe(line))
  it('is none where there is none', () => expect(nearest([], 0, 0)).toBe(-1))
})

describe('heat maps', () => {
  const bucket = (le: string, ...pairs: [number, string][]) => values({ le }, ...pairs)
  it('of classic buckets have the difference to the bucket below', () => {
    const map = makeHeatMap(
      seriesOf([bucket('+Inf', [1000, '10']), bucket('1', [1000, '4'], [1010, '3']), bucket('0.5', [1000, '1'])]),
      GRID,
    )
    expect(map).toEqual({
      bounds: [0, 0.5, 1, Infinity],
      cells: [
        { step: 0, low: 0, high: 1, count: 1 },
        { step: 0, low: 1, high: 2, count: 3 },
        { step: 1, low: 1, high: 2, count: 3 },
        { step: 0, low: 2, high: 3, count: 6 },
      ],
      most: 6,
    })
  })
  it('add series up, and leave out what falls and what is no number', () => {
    const map = makeHeatMap(
      seriesOf([
        values({ le: '1', pod: 'a' }, [1000, '4']),
        values({ le: '1', pod: 'b' }, [1000, '5']),
        values({ le: '2', pod: 'a' }, [1000, '3']),
        values({ le: '3' }, [1000, 'NaN'], [1010, '-Inf']),
        values({ le: 'x' }, [1000, '100']),
        values({ le: '' }, [1000, '100']),
      ]),
      GRID,
    )
    expect(map?.cells).toEqual([{ step: 0, low: 0, high: 1, count: 9 }])
  })
  it('of native histograms have their own bounds, which may overlap', () => {
    const histogram = (...buckets: [number, string, string, string][]) => ({ count: '1', sum: '1', buckets })
    const map = makeHeatMap(
      seriesOf([
        {
          metric: {},
          histograms: [
            [1000, histogram([0, '1', '2', '3'], [0, '2', '4', '5'], [3, '-0.1', '0.1', '2'])],
            [
              1010,
              histogram(
                [0, '1', '4', '8'],
                [0, '4', '4', '9'],
                [0, 'NaN', '1', '9'],
                [0, '1', '2', '0'],
                [0, '1', '2', 'x'],
              ),
            ],
          ],
        },
      ]),
      GRID,
    )
    expect(map?.bounds).toEqual([-0.1, 0.1, 1, 2, 4])
    expect(map?.cells).toEqual([
      { step: 0, low: 2, high: 3, count: 3 },
      { step: 0, low: 3, high: 4, count: 5 },
      { step: 0, low: 0, high: 1, count: 2 },
      { step: 1, low: 2, high: 4, count: 8 },
    ])
  })
  it.each([[[]], [[values({ job: 'a' }, [1000, '1'])]], [[values({ le: 'many' }, [1000, '1'])]]])(
    'are not made of %j',
    (result) => {
      expect(makeHeatMap(seriesOf(result), GRID)).toBeNull()
      expect(hasHistograms(seriesOf(result))).toBe(false)
    },
  )
  it('of very many buckets have rows of several', () => {
    const map = {
      bounds: [0, 1, 2, 3, 4],
      cells: [
        { step: 0, low: 0, high: 1, count: 4 },
        { step: 0, low: 1, high: 2, count: 2 },
        { step: 1, low: 1, high: 4, count: 9 },
      ],
      most: 9,
    }
    expect(coarsen(map, 2)).toEqual({
      bounds: [0, 2, 4],
      cells: [
        { step: 0, low: 0, high: 1, count: 6 },
        { step: 1, low: 0, high: 1, count: 3 },
        { step: 1, low: 1, high: 2, count: 6 },
      ],
      most: 6,
    })
    expect(coarsen(map, 4)).toBe(map)
    const series = seriesOf(Array.from({ length: 500 }, (_, at) => bucket(String(at + 1), [1000, String(at + 1)])))
    const made = makeHeatMap(series, GRID)!
    expect(made.bounds.length).toBeLessThanOrEqual(65)
    expect(made.bounds.at(-1)).toBe(500)
    expect(made.cells.reduce((sum, { count }) => sum + count, 0)).toBeCloseTo(500, 6)
  })
  it('are stronger where there is more, and seen where there is little', () => {
    const shades = [1, 10, 100, 1000].map((count) => strength(count, 1000))
    expect([...shades].sort((a, b) => a - b)).toEqual(shades)
    expect(shades[0]).toBeGreaterThanOrEqual(0.12)
    expect(shades[3]).toBe(1)
    expect(strength(0, 0)).toBe(0)
  })
})

describe('results', () => {
  it.each<[unknown]>([
    [undefined],
    [null],
    [1],
    ['x'],
    [[]],
    [{}],
    [{ resultType: 'matrix2', result: [] }],
    [{ resultType: '__proto__' }],
    [{ resultType: 'toString' }],
  ])('%j is none', (data) => expect(readResult(data)).toBeNull())
  it.each<[unknown]>([[undefined], [null], ['x'], [{}], [[null, 1, 'x', []]]])(
    'a matrix of %j has no series',
    (result) => expect(readResult({ resultType: 'matrix', result })).toEqual({ kind: 'matrix', series: [] }),
  )
  it.each<[unknown]>([[null], ['x'], [7], [{}], [[1]], [[[1]]], [[['x', '1']]], [[[1, '2', 3]]]])(
    'samples %j count as none',
    (samples) => {
      expect(seriesOf([{ metric: null, values: samples, histograms: samples }])).toEqual([
        { labels: asLabels({}), name: '{}', samples: [], histograms: [] },
      ])
    },
  )
  it('of an instant have a value or a histogram', () => {
    const series = seriesOf(
      [
        { metric: { __name__: 'up' }, value: [1, '0'] },
        { metric: {}, histogram: [1, { count: '3', sum: 'NaN', buckets: [[0, '1', '+Inf', '3'], 'x', [1, 2]] }] },
      ],
      'vector',
    )
    expect(series[0]).toMatchObject({ name: 'up', samples: [[1, '0']], histograms: [] })
    expect(series[1]?.histograms).toEqual([
      [1, { count: 3, sum: NaN, buckets: [{ rule: 0, low: 1, high: Infinity, count: 3 }] }],
    ])
  })
  it.each([
    [{ __name__: 'up' }, 'up'],
    [{}, '{}'],
    [{ a: '1' }, '{a="1"}'],
    [{ __name__: 'up', job: 'a"b\\c\nd' }, 'up{job="a\\"b\\\\c\\nd"}'],
    [{ __name__: 'http.req', 'k8s.pod': '<b>' }, '{"http.req", "k8s.pod"="<b>"}'],
    [{ __name__: 'a:b', ü: 'ü' }, 'a:b{"ü"="ü"}'],
    [{ __name__: '"}{' }, '{"\\"}{"}'],
  ])('%j is written %s', (labels, text) => expect(writeSeries(asLabels(labels))).toBe(text))
})

describe('what is beside a result', () => {
  const answer = (envelope: Record<string, unknown>) => ({ data: {}, warnings: [], envelope, bytes: 0 })
  it('tells what is missing', () => {
    const lack = readLack(
      answer({
        complete: true,
        missing: [
          {
            endpoint: 'a:1',
            labels: [{ region: 'eu' }, 'x'],
            minTime: 1,
            maxTime: 2,
            error: 'gone',
            answeredBy: 'b:1',
          },
          7,
          {},
        ],
      }),
    )
    expect(lack.complete).toBe(true)
    expect(lack.parts).toHaveLength(2)
    expect(lack.parts[0]).toMatchObject({ endpoint: 'a:1', minMs: 1, maxMs: 2, error: 'gone', answeredBy: 'b:1' })
    expect(lack.parts[1]).toEqual({ endpoint: '', labels: [], minMs: null, maxMs: null, error: '', answeredBy: '' })
  })
  it.each([{}, { missing: null }, { missing: 'x', complete: 'true' }, { missing: { a: 1 }, complete: 1 }])(
    '%j lacks nothing',
    (envelope) => expect(readLack(answer(envelope))).toEqual({ parts: [], complete: false }),
  )
  it('tells what it took', () => {
    expect(
      readStatistics({
        stats: {
          timings: { execTotalTime: 1.5, evalTotalTime: 1, execQueueTime: 0.5 },
          samples: { totalQueryableSamples: 8, peakSamples: 'x' },
        },
      }),
    ).toEqual({ samples: 8, peakSamples: null, totalMs: 1500, evalMs: 1000, queueMs: 500 })
  })
  it.each([undefined, null, {}, { stats: {} }, { stats: 'x' }])('%j says nothing of that', (data) =>
    expect(readStatistics(data)).toBeNull(),
  )
})

describe('plans', () => {
  it('are read from the top, with the time of each operator alone', () => {
    const nodes = readPlan({
      name: 'sum',
      executionTime: '10ms',
      totalSamples: 9,
      series: 1,
      children: [
        { name: 'rate', executionTime: '7ms', peakSamples: 4, children: [{ name: 'select', executionTime: '9ms' }] },
        { name: '1' },
      ],
    })
    expect(nodes.map(({ id, depth, name, elapsedMs, ownMs }) => [id, depth, name, elapsedMs, ownMs])).toEqual([
      ['0', 0, 'sum', 10, 3],
      ['0.0', 1, 'rate', 7, 0],
      ['0.0.0', 2, 'select', 9, 9],
      ['0.1', 1, '1', null, null],
    ])
  })
  it('have the stores that were asked', () => {
    const [node] = readPlan({
      name: 'x',
      fanout: [{ endpointAddr: 'a:1', duration: '1.5ms', bytesProcessed: 7, series: 1, chunks: 2, samples: 3 }, 'x'],
    })
    expect(node?.fanOut).toEqual([{ endpoint: 'a:1', elapsedMs: 1.5, bytes: 7, series: 1, chunks: 2, samples: 3 }])
  })
  it.each([undefined, null, {}, [], 'x', { name: 7 }, { children: [{ name: 'x' }] }])('%j is none', (data) =>
    expect(readPlan(data)).toEqual([]),
  )
  it('of any depth end', () => {
    let plan: Record<string, unknown> = { name: 'leaf' }
    for (let depth = 0; depth < 5000; ++depth) plan = { name: 'x', children: [plan] }
    expect(readPlan(plan).length).toBeLessThan(600)
  })
})

it('neighbours in a graph have other colours', () => {
  const colours = Array.from({ length: 36 }, (_, at) => colourOf(at, false))
  expect(new Set(colours).size).toBe(36)
  expect(colourOf(0, true)).not.toBe(colourOf(0, false))
})
