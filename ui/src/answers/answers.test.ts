import { describe, expect, it } from 'vitest'
import { parseBlocks, parseMarks } from './blocks'
import { mergeMetrics, parseNames } from './metrics'
import { parseRuleGroups } from './rules'
import { parseBuildInfo, parseFlags, parseRuntimeInfo, parseTsdbStatus } from './status'
import { parseStores } from './stores'
import { parseTargets } from './targets'

// What a server never should say, but a proxy, an old version or a fault may.
const ODD: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['text', 'not found'],
  ['a number', 5],
  ['a list', [1, null, 'x', [], {}]],
  ['an empty object', {}],
  [
    'null members',
    Object.fromEntries(
      ['blocks', 'groups', 'activeTargets', 'droppedTargets', 'headStats', 'marks', 'store', 'label'].map((name) => [
        name,
        null,
      ]),
    ),
  ],
  [
    'members of wrong types',
    Object.fromEntries(
      ['blocks', 'groups', 'activeTargets', 'droppedTargets', 'headStats', 'marks', 'store'].map((name) => [name, 'x']),
    ),
  ],
  [
    'items of wrong types',
    Object.fromEntries(
      ['blocks', 'groups', 'activeTargets', 'droppedTargets', 'marks', 'store'].map((name) => [
        name,
        [null, 1, 'x', [1], { labels: 3, rules: [null, { alerts: 'x' }], thanos: [], compaction: null }],
      ]),
    ),
  ],
]

describe('odd answers', () => {
  const parsers: Record<string, (data: unknown) => unknown> = {
    parseBlocks,
    parseMarks,
    parseRuleGroups,
    parseStores,
    parseTargets,
    parseBuildInfo,
    parseFlags,
    parseRuntimeInfo,
    parseTsdbStatus,
    parseNames,
    mergeMetrics: (data) => mergeMetrics(data, []),
  }
  it.each(ODD)('%s', (_, data) => {
    for (const parse of Object.values(parsers)) expect(() => parse(data)).not.toThrow()
  })
})

describe('stores', () => {
  it('come sorted by type and name', () => {
    const stores = parseStores({
      store: [
        {
          name: 'b:1',
          lastCheck: '2026-11-25T03:21:49Z',
          lastError: null,
          labelSets: [{ cluster: 'eu1' }],
          minTime: 1780358414162,
          maxTime: 1780416000000,
        },
        {
          name: 'a:1',
          lastError: 'connection refused',
          labelSets: [],
          minTime: 9223372036854775807,
          maxTime: -9223372036854775808,
        },
      ],
      sidecar: [{ name: 'c:1', lastError: '', labelSets: null, minTime: 1780358414162, maxTime: 9223372036854775807 }],
    })
    expect(
      stores.map((store) => [store.type, store.name, store.lastError, store.minMs, store.maxMs, store.holdsData]),
    ).toEqual([
      ['sidecar', 'c:1', null, 1780358414162, null, true],
      ['store', 'a:1', 'connection refused', null, null, false],
      ['store', 'b:1', null, 1780358414162, 1780416000000, true],
    ])
    expect({ ...stores[2]?.labelSets[0] }).toEqual({ cluster: 'eu1' })
  })
})

describe('rules', () => {
  it('are read with their alerts', () => {
    const [group] = parseRuleGroups({
      groups: [
        {
          name: 'g',
          file: '/etc/r.yaml',
          interval: 30,
          evaluationTime: 0.5,
          lastEvaluation: '0001-01-01T00:00:00Z',
          limit: 0,
          partialResponseStrategy: 'ABORT',
          rules: [
            {
              type: 'alerting',
              state: 'FIRING',
              name: 'Down',
              query: 'up == 0',
              duration: 60,
              keepFiringFor: 5,
              labels: { severity: 'page' },
              annotations: { summary: 's' },
              health: 'err',
              lastError: 'bad',
              evaluationTime: 0.1,
              lastEvaluation: '2026-11-25T03:21:49Z',
              alerts: [
                {
                  labels: { a: '1' },
                  annotations: {},
                  state: 'pending',
                  activeAt: '2026-11-25T03:21:49Z',
                  value: '1e+00',
                },
              ],
            },
            { type: 'recording', name: 'job:up', query: 'sum(up)', health: 'good?' },
          ],
        },
      ],
    })
    expect(group).toMatchObject({
      name: 'g',
      intervalSeconds: 30,
      lastEvaluationMs: null,
      abortsOnPartialResponse: true,
    })
    expect(group?.rules).toMatchObject([
      {
        type: 'alerting',
        state: 'firing',
        health: 'err',
        lastError: 'bad',
        forSeconds: 60,
        keepFiringForSeconds: 5,
        alerts: [{ state: 'pending', value: '1e+00', activeAtMs: 1795576909000 }],
      },
      { type: 'recording', name: 'job:up', health: 'unknown', lastError: '' },
    ])
  })
})

describe('targets', () => {
  it('prefer the URL that others can reach', () => {
    const targets = parseTargets({
      activeTargets: [
        {
          labels: { job: 'x' },
          scrapePool: 'x',
          scrapeUrl: 'http://localhost/metrics',
          globalUrl: 'http://h/metrics',
          health: 'DOWN',
          lastError: 'refused',
          lastScrapeDuration: 0.01,
        },
        { scrapeUrl: 'http://localhost/metrics' },
      ],
      droppedTargets: [{ discoveredLabels: { __address__: 'h:1' } }],
    })
    expect(targets.active).toMatchObject([
      { pool: 'x', url: 'http://h/metrics', health: 'down', lastError: 'refused' },
      { pool: '', url: 'http://localhost/metrics', health: 'unknown' },
    ])
    expect(targets.dropped.map((labels) => labels['__address__'])).toEqual(['h:1'])
  })
})

describe('metrics', () => {
  it('are those with metadata and those with series', () => {
    const metrics = mergeMetrics(
      {
        up: [
          { type: 'gauge', help: 'h', unit: '' },
          { type: 'counter', help: '', unit: 's' },
        ],
        http_seconds: [{ type: 'histogram', help: 'time', unit: 'seconds' }],
        none: [],
      },
      ['up', 'zzz', 'http_seconds_bucket', 'http_seconds_sum', 'a.b/c'],
    )
    expect(metrics.map(({ name, type, others }) => [name, type, others.length])).toEqual([
      ['a.b/c', '', 0],
      ['http_seconds', 'histogram', 0],
      ['http_seconds_bucket', 'histogram', 0],
      ['http_seconds_sum', 'histogram', 0],
      ['none', '', 0],
      ['up', 'gauge', 1],
      ['zzz', '', 0],
    ])
  })
})

describe('blocks', () => {
  const meta = {
    ulid: '01M88B6VE8JYDX8FEVYEDJFK9G',
    minTime: 1,
    maxTime: 2,
    stats: { numSamples: 3, numSeries: 4, numChunks: 5 },
    compaction: { level: 2, sources: ['a', 'b'], parents: [{ ulid: 'a' }] },
    thanos: {
      labels: { cluster: 'eu1' },
      downsample: { resolution: 300000 },
      source: 'compactor',
      files: [
        { rel_path: 'index', size_bytes: 10 },
        { rel_path: 'meta.json' },
        { rel_path: 'chunks/000001', size_bytes: -4 },
      ],
    },
  }
  it('are read from their meta.json', () => {
    const answer = parseBlocks({ label: 'cluster', blocks: [meta], refreshedAt: '0001-01-01T00:00:00Z', err: null })
    expect(answer).toMatchObject({ groupLabel: 'cluster', unreadable: 0, refreshedMs: null, error: '' })
    expect(answer.blocks[0]).toMatchObject({
      level: 2,
      resolutionMs: 300000,
      bytes: 10,
      series: 4,
      samples: 3,
      chunks: 5,
      parents: ['a'],
    })
    expect(answer.blocks[0]?.meta).toBe(meta)
  })
  it('without a place on the axis are counted', () => {
    const blocks = [{ ...meta, ulid: '' }, { ...meta, minTime: 'x' }, { ...meta, minTime: 5 }, null, meta]
    expect(parseBlocks({ blocks }).unreadable).toBe(4)
  })
  it.each([
    [null, ''],
    ['no bucket', 'no bucket'],
    [{}, 'The server could not read the bucket; its log says why.'],
  ])('tell the error %j', (err, text) => {
    expect(parseBlocks({ err }).error).toBe(text)
  })
  it('have marks', () => {
    expect(
      parseMarks({
        marks: [
          { marker: 'deletion-mark.json', time: 1700000000, details: 'old', reason: '' },
          { marker: 'no-compact-mark.json', time: 1e300, details: '', reason: 'manual' },
          { marker: 'toString', time: 1 },
        ],
      }),
    ).toEqual([
      { kind: 'deletion', timeMs: 1700000000000, details: 'old', reason: '' },
      { kind: 'no-compact', timeMs: null, details: '', reason: 'manual' },
    ])
  })
})

describe('status', () => {
  it('reads statistics', () => {
    expect(
      parseTsdbStatus({
        headStats: { numSeries: 7, numLabelPairs: 8, chunkCount: 9, minTime: 1, maxTime: 9223372036854775807 },
        seriesCountByMetricName: [{ name: 'up', value: 3 }, 'x'],
      }),
    ).toMatchObject({
      series: 7,
      labelPairs: 8,
      chunks: 9,
      minMs: 1,
      maxMs: null,
      seriesByMetric: [{ name: 'up', value: 3 }],
      valuesByLabel: [],
    })
  })
  it('reads flags, build and runtime', () => {
    expect(parseFlags({ b: 'x', a: '' })).toEqual([
      { name: 'a', value: '' },
      { name: 'b', value: 'x' },
    ])
    expect(parseBuildInfo({ version: '1.0', goVersion: '' })).toMatchObject({ version: '1.0', goVersion: '' })
    expect(parseRuntimeInfo({ startTime: '2026-11-25T03:21:47.8Z', CWD: '/data', GOMAXPROCS: 2 })).toEqual({
      startedMs: 1795576907800,
      directory: '/data',
      processors: 2,
    })
  })
})
