import { act, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { expectOnlyText, failure, HOSTILE, renderPage, success } from '../parts/testing'
import GraphPage from './GraphPage'
import { readHistory } from './history'

// The charts that are there, since nothing is drawn in tests.
interface FakeChart {
  options: {
    series: object[]
    bands?: object[]
    hooks: Record<string, ((chart: unknown) => void)[]>
  }
  data: unknown[][]
}
const charts = vi.hoisted(() => [] as FakeChart[])
vi.mock('uplot', () => {
  class Fake {
    static paths = { stepped: () => () => null }
    static tzDate = (date: Date) => date
    width = 800
    constructor(
      readonly options: FakeChart['options'],
      readonly data: unknown[][],
    ) {
      charts.push(this)
    }
    setSize() {}
    setSelect() {}
    destroy() {
      charts.splice(charts.indexOf(this), 1)
    }
  }
  return { default: Fake }
})

// The editor is one of the browser; here it is a field that does what its keys do.
vi.mock('./Editor', () => ({
  Editor: (props: {
    value: string
    label: string
    onChange: (text: string) => void
    onRun: (text: string) => void
  }) => (
    <textarea
      aria-label={props.label}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') props.onRun(event.currentTarget.value)
      }}
    />
  ),
}))

const vector = (...metrics: object[]) => ({
  resultType: 'vector',
  result: metrics.map((metric) => ({ metric, value: [1, '7'] })),
})
const matrix = (...metrics: object[]) => ({
  resultType: 'matrix',
  result: metrics.map((metric, at) => ({
    metric,
    values: [
      [1000, String(at)],
      [1014, String(at + 1)],
    ],
  })),
})
const flags = { 'query.partial-response': 'true', 'query.replica-label': 'replica' }
const stores = {
  sidecar: [
    { name: 'a:10901', labelSets: [], minTime: 0, maxTime: 1 },
    { name: 'b:10901', labelSets: [], minTime: 0, maxTime: 1 },
  ],
}

const open = (search: string, answers: Record<string, unknown> = {}) =>
  renderPage(<GraphPage />, { 'api/v1/status/flags': flags, 'api/v1/stores': stores, ...answers }, search)
const asked = (page: ReturnType<typeof open>, path: string) =>
  page.posts.filter((post) => post.path === `/api/v1/${path}`).map(({ params }) => Object.fromEntries(params))
const ended = '&g0.end_input=1970-01-01%2001:00:00'

beforeEach(() => {
  localStorage.clear()
  charts.length = 0
})

describe('a query', () => {
  it('is typed and run, and kept in the address and the history', async () => {
    const page = open('', { 'api/v1/query': vector({ __name__: 'up', job: 'a' }) })
    expect(screen.getByText('What do you want to see?')).toBeVisible()
    await userEvent.type(screen.getByRole('textbox', { name: 'Expression of panel 1' }), 'up')
    expect(asked(page, 'query')).toEqual([])
    await userEvent.click(screen.getByRole('button', { name: 'Execute' }))
    expect(await screen.findByText('up{job="a"}')).toBeVisible()
    expect(page.search().get('g0.expr')).toBe('up')
    expect(asked(page, 'query')[0]).toMatchObject({ query: 'up', dedup: 'true', stats: 'true' })
    expect(readHistory()).toEqual(['up'])
    expect(screen.getByText(/^1 series/)).toBeVisible()
  })

  it('runs again when it is asked to', async () => {
    const page = open('?g0.expr=up&g0.tab=1', { 'api/v1/query': vector({ a: '1' }) })
    await screen.findByText('{a="1"}')
    await userEvent.click(screen.getByRole('button', { name: 'Execute' }))
    await waitFor(() => expect(asked(page, 'query')).toHaveLength(2))
  })

  it('that fails says why, and can be tried again', async () => {
    let fails = true
    open('?g0.expr=up%7B', {
      'api/v1/query': () => (fails ? failure(400, '1:4: parse error: <b>x</b>') : success(vector({ a: '1' }))),
    })
    expect(await screen.findByRole('alert')).toHaveTextContent('1:4: parse error: <b>x</b>')
    expect(readHistory()).toEqual([])
    fails = false
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByText('{a="1"}')).toBeVisible()
    expect(screen.queryByRole('alert')).toBeNull()
  })

  it('is formatted, or says why not', async () => {
    let fails = false
    open('?g0.expr=sum(up)by(a)', {
      'api/v1/query': vector(),
      'api/v1/format_query': () => (fails ? failure(400, 'no such thing') : success('sum by (a) (up)')),
    })
    await userEvent.click(screen.getByRole('button', { name: 'Format' }))
    await waitFor(() =>
      expect(screen.getByRole('textbox', { name: 'Expression of panel 1' })).toHaveValue('sum by (a) (up)'),
    )
    fails = true
    await userEvent.click(screen.getByRole('button', { name: 'Format' }))
    expect(await screen.findByText('no such thing')).toBeVisible()
  })

  it('comes back from the history', async () => {
    localStorage.setItem('aevum.graph.history', JSON.stringify(['sum(up)', 'rate(x[5m])', 7, null]))
    const page = open('', { 'api/v1/query': vector({ a: '1' }) })
    await userEvent.click(screen.getByRole('button', { name: 'History' }))
    await userEvent.type(await screen.findByLabelText('Search the history'), 'RATE')
    expect(screen.queryByText('sum(up)')).toBeNull()
    await userEvent.click(screen.getByText('rate(x[5m])'))
    await screen.findByText('{a="1"}')
    expect(page.search().get('g0.expr')).toBe('rate(x[5m])')
  })

  it.each(['{', '"x"', '{"a":1}', 'null'])('does without a history that is %s', (damaged) => {
    localStorage.setItem('aevum.graph.history', damaged)
    expect(readHistory()).toEqual([])
  })

  it('that finds nothing says what to do', async () => {
    open('?g0.expr=x', { 'api/v1/query': vector() })
    expect(await screen.findByText('The answer is empty.')).toBeVisible()
  })

  it.each<[string, unknown, string]>([
    ['a scalar', { resultType: 'scalar', result: [1, '42'] }, '42'],
    ['a string', { resultType: 'string', result: [1e300, '<i>x</i>'] }, '<i>x</i>'],
    ['samples', { resultType: 'matrix', result: [{ metric: {}, values: [[1, '5']] }] }, '5 @ 1970-01-01 00:00:01 UTC'],
    [
      'a histogram',
      {
        resultType: 'vector',
        result: [{ metric: {}, histogram: [1, { count: '3', sum: 'NaN', buckets: [[0, '1', '+Inf', '3']] }] }],
      },
      'count 3, sum NaN',
    ],
    ['something else', { resultType: 'surprise' }, 'The server answered with something else than a result.'],
    ['nothing', null, 'The server answered with something else than a result.'],
  ])('shows %s', async (_, data, text) => {
    open('?g0.expr=x', { 'api/v1/query': () => success(data) })
    expect(await screen.findByText(text)).toBeVisible()
  })

  it('with very many series shows some of them, and more when asked', async () => {
    const many = Array.from({ length: 700 }, (_, at) => ({ n: String(at) }))
    open('?g0.expr=x', { 'api/v1/query': vector(...many) })
    await userEvent.click(await screen.findByRole('button', { name: 'Show more (200 are left)' }))
    expect(screen.getByText('{n="699"}')).toBeVisible()
  })
})

describe('hostile texts', () => {
  it.each(HOSTILE)('%s as a label is text', async (text) => {
    open('?g0.expr=x', { 'api/v1/query': vector({ __name__: 'm', label: text }) })
    await screen.findByText(/^1 series/)
    expectOnlyText(text.replace(/["\\]/g, '\\$&'))
  })
  it.each(HOSTILE)('%s in warnings, stores and errors is text', async (text) => {
    const missing = [{ endpoint: text, labels: [{ region: 'eu' }], minTime: 0, maxTime: 1, error: text }]
    open('?g0.expr=x', {
      'api/v1/query': () =>
        Response.json({
          status: 'success',
          data: vector(),
          warnings: [`PromQL warning: ${text}`],
          infos: [text],
          missing,
          complete: false,
        }),
    })
    await screen.findByRole('alert')
    expectOnlyText(text)
  })
  it.each(HOSTILE)('%s in a plan is text', async (text) => {
    open('?g0.expr=x&g0.tab=2', { 'api/v1/query_range_explain': { name: text, children: [{ name: text }] } })
    await screen.findByRole('region', { name: 'Plan' })
    expectOnlyText(text)
  })
  it.each(HOSTILE)('%s all over the address is harmless', (text) => {
    const names = [
      'expr',
      'tab',
      'range_input',
      'end_input',
      'engine',
      'store_matches',
      'display_mode',
      'legend',
      'only',
      'replica_labels',
    ]
    open(`?${names.map((name) => `g0.${name}=${encodeURIComponent(text)}`).join('&')}`, { 'api/v1/query': vector() })
    expect(screen.getByRole('textbox', { name: 'Expression of panel 1' })).toHaveValue(text)
    expect(document.querySelector('script, img, svg[onload]')).toBeNull()
  })
})

describe('switches', () => {
  it('change what is asked at once, and the address', async () => {
    const page = open('?g0.expr=up&g0.tab=1', { 'api/v1/query': vector({ a: '1' }) })
    await screen.findByText('{a="1"}')
    await userEvent.click(screen.getByRole('switch', { name: 'Deduplication' }))
    await waitFor(() => expect(asked(page, 'query').at(-1)).toMatchObject({ dedup: 'false' }))
    await userEvent.click(screen.getByRole('switch', { name: 'Partial response' }))
    await waitFor(() =>
      expect(asked(page, 'query').at(-1)).toMatchObject({ dedup: 'false', partial_response: 'false' }),
    )
    expect(page.search().get('g0.deduplicate')).toBe('0')
    expect(page.search().get('g0.partial_response')).toBe('0')
  })

  it('show what the server does by itself', async () => {
    open('?g0.expr=up', {
      'api/v1/query': vector(),
      'api/v1/status/flags': { ...flags, 'query.partial-response': 'false' },
    })
    await waitFor(() => expect(screen.getByRole('switch', { name: 'Partial response' })).not.toBeChecked())
  })

  it('choose stores, engine, resolution and replica labels', async () => {
    const page = open('?g0.expr=up&g0.tab=1', { 'api/v1/query': vector({ a: '1' }) })
    await userEvent.click(screen.getByRole('button', { name: /More options/ }))
    await userEvent.click(await screen.findByRole('textbox', { name: 'Stores' }))
    await userEvent.click(await screen.findByRole('option', { name: 'b:10901' }))
    await waitFor(() =>
      expect(asked(page, 'query').at(-1)).toMatchObject({ 'storeMatch[]': '{__address__="b:10901"}' }),
    )
    await userEvent.click(screen.getByRole('textbox', { name: 'Engine' }))
    await userEvent.click(await screen.findByRole('option', { name: 'prometheus' }))
    await waitFor(() => expect(asked(page, 'query').at(-1)).toMatchObject({ engine: 'prometheus' }))
    await userEvent.click(screen.getByRole('textbox', { name: 'Source resolution' }))
    await userEvent.click(await screen.findByRole('option', { name: 'Raw data only' }))
    await waitFor(() => expect(asked(page, 'query').at(-1)).toMatchObject({ max_source_resolution: '0s' }))
    await userEvent.type(screen.getByRole('textbox', { name: 'Replica labels' }), 'zone{Enter}')
    await waitFor(() => expect(asked(page, 'query').at(-1)).toMatchObject({ 'replicaLabels[]': 'zone' }))
    expect(page.search().get('g0.store_matches')).toBe('[{"name":"b:10901"}]')
  })
})

describe('times', () => {
  it('are typed, and refused where they are none', async () => {
    const page = open('?g0.expr=up&g0.tab=0', { 'api/v1/query_range': matrix({ a: '1' }) })
    const range = screen.getByRole('textbox', { name: 'Range' })
    await userEvent.clear(range)
    await userEvent.type(range, 'soon{Enter}')
    expect(screen.getByText('such as 1h30m')).toBeVisible()
    expect(page.search().get('g0.range_input')).toBeNull()
    await userEvent.clear(range)
    await userEvent.type(range, '2d{Enter}')
    await waitFor(() => expect(page.search().get('g0.range_input')).toBe('2d'))
    await userEvent.type(screen.getByRole('textbox', { name: 'End (UTC)' }), '2026-06-02 14:00{Enter}')
    await waitFor(() =>
      expect(asked(page, 'query_range').at(-1)).toMatchObject({ end: '1780408800', start: '1780236000' }),
    )
    await userEvent.type(screen.getByRole('textbox', { name: 'Resolution' }), '1h{Enter}')
    await waitFor(() => expect(asked(page, 'query_range').at(-1)).toMatchObject({ step: '3600' }))
    await userEvent.click(screen.getByRole('button', { name: 'Back to now' }))
    await waitFor(() => expect(page.search().get('g0.end_input')).toBeNull())
  })

  it('move by buttons', async () => {
    const page = open(`?g0.expr=up&g0.tab=0${ended}`, { 'api/v1/query_range': matrix({ a: '1' }) })
    await userEvent.click(screen.getByRole('button', { name: 'Longer range' }))
    expect(page.search().get('g0.range_input')).toBe('2h')
    await userEvent.click(screen.getByRole('button', { name: 'Later' }))
    expect(page.search().get('g0.end_input')).toBe('1970-01-01 02:00:00')
    await userEvent.click(screen.getByRole('button', { name: 'Earlier' }))
    await userEvent.click(screen.getByRole('button', { name: 'Shorter range' }))
    expect(page.search().get('g0.range_input')).toBe('1h')
    expect(page.search().get('g0.end_input')).toBe('1970-01-01 01:00:00')
  })
})

describe('a graph', () => {
  const two = { 'api/v1/query_range': matrix({ job: 'a' }, { job: 'b' }) }
  it('is drawn over the whole range', async () => {
    open(`?g0.expr=up&g0.tab=0${ended}`, two)
    await waitFor(() => expect(charts).toHaveLength(1))
    expect(charts[0]?.data).toHaveLength(3)
    expect(charts[0]?.data[0]?.[0]).toBe(0)
    expect(charts[0]?.data[0]).toHaveLength(258)
    expect(screen.getByRole('img', { name: /^Graph of up: 2 series/ })).toBeVisible()
  })

  it('changes its style', async () => {
    const page = open(`?g0.expr=up&g0.tab=0${ended}`, two)
    await userEvent.click(await screen.findByRole('radio', { name: 'Stacked' }))
    await waitFor(() => expect(charts[0]?.options.bands).toHaveLength(1))
    expect(page.search().get('g0.display_mode')).toBe('stacked')
    await userEvent.click(screen.getByRole('radio', { name: 'Steps' }))
    await waitFor(() => expect(charts[0]?.options.series[1]).toHaveProperty('paths'))
    // Another style is no other question.
    expect(asked(page, 'query_range')).toHaveLength(1)
  })

  it('zooms to what was dragged over', async () => {
    const page = open(`?g0.expr=up&g0.tab=0${ended}`, two)
    await waitFor(() => expect(charts).toHaveLength(1))
    const select = (left: number, width: number) =>
      act(() =>
        charts[0]?.options.hooks['setSelect']?.[0]?.({
          select: { left, width },
          posToVal: (at: number) => at * 10,
          setSelect: () => undefined,
        }),
      )
    select(100, 2)
    expect(page.search().get('g0.range_input')).toBeNull()
    select(100, 60)
    await waitFor(() => expect(page.search().get('g0.range_input')).toBe('10m'))
    expect(page.search().get('g0.end_input')).toBe('1970-01-01 00:26:40')
  })

  it('tells the values at the cursor', async () => {
    open(`?g0.expr=up&g0.tab=0&g0.range_input=14s&g0.step_input=14&g0.end_input=1970-01-01%2000:16:54`, two)
    await waitFor(() => expect(charts).toHaveLength(1))
    const move = (idx: number | null) =>
      act(() => charts[0]?.options.hooks['setCursor']?.[0]?.({ cursor: { idx, top: 5 }, posToVal: () => 1.1 }))
    move(0)
    expect(screen.getByText('1970-01-01 00:16:40 UTC: 1 {job="b"}')).toBeVisible()
    move(1)
    expect(screen.getByText('1970-01-01 00:16:54 UTC: 1 {job="a"}')).toBeVisible()
    expect(screen.getByRole('button', { name: /job="b".*2/ })).toBeVisible()
    move(null)
    expect(screen.getByText('Point at the graph for the values of a time.')).toBeVisible()
  })

  it('draws what the legend chooses', async () => {
    const page = open(`?g0.expr=up&g0.tab=0${ended}`, two)
    await userEvent.click(await screen.findByRole('button', { name: /job="a"/ }))
    await waitFor(() => expect(charts[0]?.data).toHaveLength(2))
    expect(page.search().getAll('g0.only')).toEqual(['{job="a"}'])
    expect(screen.getByText('1 of 2 are drawn')).toBeVisible()
    await userEvent.click(screen.getByRole('button', { name: /job="a"/ }))
    await waitFor(() => expect(charts[0]?.data).toHaveLength(3))
    await userEvent.type(screen.getByLabelText('Filter the series'), 'JOB="b')
    await waitFor(() => expect(charts[0]?.data).toHaveLength(2))
    await waitFor(() => expect(page.search().get('g0.legend')).toBe('JOB="b'))
    expect(asked(page, 'query_range')).toHaveLength(1)
  })

  it('of histograms is a heat map', async () => {
    const buckets = [[0, '0', '1', '5']]
    const result = [{ metric: {}, histograms: [[1000, { count: '5', sum: '1', buckets }]] }]
    open(`?g0.expr=x&g0.tab=0${ended}`, { 'api/v1/query_range': { resultType: 'matrix', result } })
    expect(await screen.findByRole('img', { name: 'Heat map of x' })).toBeVisible()
    expect(screen.getByRole('radio', { name: 'Heat map' })).toBeChecked()
    expect(screen.getByRole('radio', { name: 'Lines' })).toBeDisabled()
  })

  it('says what a heat map needs', async () => {
    open(`?g0.expr=x&g0.tab=0&g0.display_mode=heatmap${ended}`, two)
    expect(await screen.findByText('There are no histograms in this answer.')).toBeVisible()
  })
})

describe('a plan', () => {
  it('is shown, and measured when that is asked for', async () => {
    const page = open('?g0.expr=sum(up)&g0.tab=2', {
      'api/v1/query_range_explain': { name: 'sum', children: [{ name: 'select' }] },
      'api/v1/query_range': {
        ...matrix(),
        analysis: {
          name: 'sum',
          executionTime: '10ms',
          series: 1,
          children: [
            {
              name: 'select',
              executionTime: '4ms',
              totalSamples: 1234,
              fanout: [{ endpointAddr: 'a:1', duration: '2ms', bytesProcessed: 2048 }],
            },
          ],
        },
      },
      'api/v1/query': { ...vector(), analysis: {} },
    })
    const plan = await screen.findByRole('region', { name: 'Plan' })
    expect(within(plan).getAllByRole('row')).toHaveLength(3)
    expect(within(plan).queryByText('Time')).toBeNull()
    await userEvent.click(screen.getByRole('switch', { name: /^Analyze/ }))
    expect(await screen.findByText('6ms')).toBeVisible()
    expect(screen.getByText('1,234')).toBeVisible()
    expect(within(screen.getByRole('region', { name: 'Stores that were asked' })).getByText('2.0 KiB')).toBeVisible()
    expect(asked(page, 'query_range').at(-1)).toMatchObject({ analyze: 'true', stats: 'all' })
    await userEvent.click(screen.getByRole('radio', { name: 'Table' }))
    expect(await screen.findByText(/There is no plan/)).toBeVisible()
  })
})

describe('what is missing', () => {
  const part = (endpoint: string, answeredBy?: string) => ({
    endpoint,
    labels: [{ region: 'eu', replica: '1' }],
    minTime: 0,
    maxTime: 3_600_000,
    error: 'connection refused',
    ...(answeredBy && { answeredBy }),
  })
  const lacking = (missing: object[], complete: boolean, warnings: string[] = []) =>
    open('?g0.expr=x', {
      'api/v1/query': () => Response.json({ status: 'success', data: vector({ a: '1' }), missing, complete, warnings }),
    })
  it('is named with its store, labels and times', async () => {
    lacking([part('c:1')], false, ['receive series from Addr: c:1'])
    const alert = await screen.findByRole('alert')
    for (const text of [
      'c:1',
      'region="eu"',
      'replica="1"',
      '1970-01-01 00:00:00 UTC',
      '1970-01-01 01:00:00 UTC',
      'connection refused',
    ]) {
      expect(alert).toHaveTextContent(text)
    }
    expect(screen.getByText('{a="1"}')).toBeVisible()
  })
  it('is no alarm where a replica answered', async () => {
    lacking([part('c:1', 'd:1')], true, ['receive series from Addr: c:1'])
    expect(await screen.findByText(/their replicas answered/)).toBeVisible()
    expect(screen.getByText(/d:1 answered/)).toBeVisible()
    expect(screen.queryByRole('alert')).toBeNull()
  })
  it('is told apart from what is replaced', async () => {
    lacking([part('c:1', 'd:1'), part('e:1')], false)
    expect(await screen.findByRole('alert')).toHaveTextContent('e:1')
    expect(screen.getByRole('alert')).not.toHaveTextContent('c:1')
  })
  it('is what warnings say where nothing else does', async () => {
    lacking([], false, ['store gone', 'PromQL info: no counter'])
    expect(await screen.findByRole('alert')).toHaveTextContent('store gone')
    expect(screen.getByRole('alert')).not.toHaveTextContent('PromQL')
    expect(screen.getByText('PromQL info: no counter')).toBeVisible()
  })
})

describe('panels', () => {
  it('are added and removed, and keep what is typed in them', async () => {
    const page = open('?g0.expr=a&g1.expr=b&g2.expr=c', { 'api/v1/query': vector() })
    await userEvent.type(screen.getByRole('textbox', { name: 'Expression of panel 2' }), ' + 1')
    await userEvent.click(
      within(screen.getByRole('region', { name: 'Panel 1' })).getByRole('button', { name: 'Remove panel' }),
    )
    await waitFor(() => expect(screen.getAllByRole('textbox', { name: /^Expression/ })).toHaveLength(2))
    expect(screen.getByRole('textbox', { name: 'Expression of panel 1' })).toHaveValue('b + 1')
    expect(page.search().get('g0.expr')).toBe('b')
    await userEvent.click(screen.getByRole('button', { name: 'Add panel' }))
    await waitFor(() => expect(screen.getByRole('textbox', { name: 'Expression of panel 3' })).toHaveValue(''))
    expect(page.search().get('g2.expr')).toBe('')
  })
  it('the last can not be removed', () => {
    open('')
    expect(screen.queryByRole('button', { name: 'Remove panel' })).toBeNull()
  })
  it('switch between their views', async () => {
    const page = open('?g0.expr=up', {
      'api/v1/query': vector({ a: '1' }),
      'api/v1/query_range': matrix({ a: '1' }),
      'api/v1/query_range_explain': { name: 'select' },
    })
    await screen.findByText('{a="1"}')
    await userEvent.click(screen.getByRole('tab', { name: 'Graph' }))
    await waitFor(() => expect(charts).toHaveLength(1))
    await userEvent.click(screen.getByRole('tab', { name: 'Explain' }))
    expect(await screen.findByText('select')).toBeVisible()
    expect(charts).toHaveLength(0)
    expect(page.search().get('g0.tab')).toBe('explain')
  })
})
