import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import FlagsPage from '../flags/FlagsPage'
import { expectOnlyText, failure, HOSTILE, renderPage } from '../parts/testing'
import TsdbStatusPage from '../tsdb-status/TsdbStatusPage'
import { cachesOf, parseExposition, total } from './exposition'
import StatusPage from './StatusPage'

const METRICS = `# HELP process_resident_memory_bytes Resident memory.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 1.048576e+08
process_open_fds 12
process_max_fds 1024
thanos_store_index_cache_requests_total{item_type="Postings",tenant="a"} 30
thanos_store_index_cache_requests_total{item_type="Postings",tenant="b"} 10
thanos_store_index_cache_hits_total{item_type="Postings",tenant="a"} 20
thanos_store_index_cache_items{item_type="Postings"} 7
thanos_store_index_cache_items_size_bytes{item_type="Postings"} 2048
thanos_store_index_cache_max_size_bytes 1048576
thanos_store_index_cache_requests_total{item_type="Series"} 0
`
const answers = {
  'api/v1/status/buildinfo': { version: '0.5.0', revision: 'abc', branch: '' },
  'api/v1/status/runtimeinfo': { startTime: '2026-11-25T03:21:47Z', CWD: '/data', GOMAXPROCS: 8 },
  metrics: () => new Response(METRICS),
}

describe('the status page', () => {
  it('shows build, runtime, memory and caches', async () => {
    renderPage(<StatusPage />, answers)
    expect(await screen.findByText('0.5.0')).toBeVisible()
    expect(await screen.findByText('100 MiB')).toBeVisible()
    expect(screen.getByText('12 of 1,024')).toBeVisible()
    expect(screen.getByText('/data')).toBeVisible()
    expect(screen.queryByText('Branch')).toBeNull()
    const row = screen.getByRole('row', { name: /^Index cache: Postings/ })
    expect(
      within(row)
        .getAllByRole('cell')
        .map((cell) => cell.textContent),
    ).toEqual(['7', '2.0 KiB of 1.0 MiB', '40', '20 (50.0 %)', ''])
  })

  it('shows what it has when a part is missing', async () => {
    renderPage(<StatusPage />, {
      ...answers,
      metrics: () => new Response('no', { status: 503 }),
      'api/v1/status/buildinfo': () => failure(500, 'no build <b>'),
    })
    expect(await screen.findByText('no build <b>')).toBeVisible()
    expect(await screen.findByText('Could not load the metrics.')).toBeVisible()
    expect(await screen.findByText('/data')).toBeVisible()
  })
})

describe('metrics of the process', () => {
  it.each([
    ['a 1', [['a', 1]]],
    ['a{x="1"} 2 1700000000000', [['a', 2]]],
    ['a{x="}\\" b",y="\\n"} +Inf', [['a', Infinity]]],
    ['# a 1', []],
    ['a', []],
    ['a NaN\nb 2', [['b', 2]]],
    ['<html>', []],
    ['', []],
  ])('%j', (text, found) => {
    expect(parseExposition(text).map(({ name, value }) => [name, value])).toEqual(found)
  })
  it('have labels with anything in them', () => {
    expect(parseExposition('a{x="}\\" b",y="\\n"} 1')[0]?.labels).toEqual(
      new Map([
        ['x', '}" b'],
        ['y', '\n'],
      ]),
    )
    expect(total([], 'a')).toBeNull()
  })
  it('tell of each cache that there is', () => {
    const caches = cachesOf(parseExposition(METRICS))
    expect(caches.map(({ name, requests }) => [name, requests])).toEqual([
      ['Index cache: Postings', 40],
      ['Index cache: Series', 0],
    ])
    expect(cachesOf([])).toEqual([])
  })
})

describe('the flags page', () => {
  const flags = { 'query.timeout': '2m', 'web.route-prefix': '', 'objstore.config': '<REDACTED>' }
  it('searches names and values', async () => {
    const page = renderPage(<FlagsPage />, { 'api/v1/status/flags': flags }, '?search=timeout')
    expect(await screen.findByText('1 of 3 flags')).toBeVisible()
    await userEvent.clear(screen.getByRole('searchbox'))
    await userEvent.type(screen.getByRole('searchbox'), '--objstore.config=<red')
    expect(await screen.findByText('<REDACTED>')).toBeVisible()
    expect(page.search().get('search')).toBe('--objstore.config=<red')
  })
  it('leaves out what is empty', async () => {
    renderPage(<FlagsPage />, { 'api/v1/status/flags': flags })
    await userEvent.click(await screen.findByRole('switch', { name: 'Only those with a value' }))
    expect(await screen.findByText('2 of 3 flags')).toBeVisible()
  })
})

describe('the cardinality page', () => {
  const status = {
    headStats: { numSeries: 1000, numLabelPairs: 50, chunkCount: 2000, minTime: 1780358414162, maxTime: 1780416000000 },
    seriesCountByMetricName: [
      { name: 'http_requests_total', value: 700 },
      { name: 'up', value: 3 },
    ],
    labelValueCountByLabelName: [{ name: 'pod', value: 120 }],
    memoryInBytesByLabelName: [{ name: 'pod', value: 4096 }],
    seriesCountByLabelValuePair: [{ name: 'job=a=b', value: 10 }],
  }
  it('shows totals and the largest, with links', async () => {
    renderPage(<TsdbStatusPage />, { 'api/v1/status/tsdb': status })
    expect(await screen.findByText('1,000')).toBeVisible()
    expect(screen.getByText('4.0 KiB')).toBeVisible()
    const link = (name: string) =>
      new URL(screen.getByRole('link', { name }).getAttribute('href')!, 'http://h').searchParams.get('g0.expr')
    expect(link('http_requests_total')).toBe('count(http_requests_total)')
    expect(link('job=a=b')).toBe('count({job="a=b"})')
  })
  it('asks for the selector and limit of the URL, within bounds', async () => {
    const page = renderPage(<TsdbStatusPage />, { 'api/v1/status/tsdb': status }, '?limit=99999&match=up')
    await screen.findByText('1,000')
    expect(page.requests[0]?.searchParams.get('limit')).toBe('1000')
    expect(page.requests[0]?.searchParams.get('match[]')).toBe('up')
  })
  it('teaches when nobody says', async () => {
    renderPage(<TsdbStatusPage />, { 'api/v1/status/tsdb': { headStats: {} } })
    expect(await screen.findByText('No endpoint tells of its database.')).toBeVisible()
  })
})

describe('hostile text', () => {
  it.each(HOSTILE)('%j stays text in status, flags and cardinality', async (text) => {
    const status = renderPage(<StatusPage />, { ...answers, 'api/v1/status/buildinfo': { version: `v ${text}` } })
    await screen.findByText(`v ${text}`, { normalizer: (shown) => shown })
    expectOnlyText(`v ${text}`)
    status.unmount()
    const flags = renderPage(<FlagsPage />, { 'api/v1/status/flags': { [text]: `v ${text}` } })
    await screen.findByText(`v ${text}`, { normalizer: (shown) => shown })
    expectOnlyText(`--${text}`)
    flags.unmount()
    renderPage(<TsdbStatusPage />, {
      'api/v1/status/tsdb': {
        headStats: { numSeries: 1 },
        seriesCountByMetricName: [{ name: `m ${text}`, value: 1 }],
        seriesCountByLabelValuePair: [{ name: text, value: 1 }],
      },
    })
    await screen.findByText(`m ${text}`, { normalizer: (shown) => shown })
    expectOnlyText(`m ${text}`)
  })
})
