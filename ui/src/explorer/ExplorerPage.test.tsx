import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { expectOnlyText, failure, HOSTILE, renderPage, success } from '../parts/testing'
import ExplorerPage from './ExplorerPage'
import { matchParams, parseConditions, rangeNamed, rangeParams } from './ranges'

const answers = {
  'api/v1/metadata': {
    http_requests_total: [{ type: 'counter', help: 'Requests so far.', unit: '' }],
    temperature: [
      { type: 'gauge', help: 'Heat.', unit: 'celsius' },
      { type: 'gauge', help: 'Warmth.', unit: '' },
    ],
  },
  'api/v1/label/__name__/values': ['http_requests_total', 'temperature', 'a.b'],
  'api/v1/labels': ['__name__', 'job', 'k8s.pod'],
  'api/v1/label/job/values': ['api', 'node'],
  'api/v1/label/U__k8s_2e_pod/values': ['p1', 'p2', 'p3'],
}

describe('the metrics explorer', () => {
  it('shows metrics with type, unit and help, and finds them', async () => {
    const page = renderPage(<ExplorerPage />, answers)
    const list = await screen.findByRole('region', { name: 'Metrics' })
    expect(
      within(list)
        .getAllByRole('button')
        .map((button) => button.textContent),
    ).toEqual(['a.bno metadata', 'http_requests_totalcounter · Requests so far.', 'temperaturegauge · celsius · Heat.'])
    await userEvent.type(screen.getByRole('searchbox', { name: 'Search metrics' }), 'heat')
    expect(await screen.findByText('1 of 3 metrics')).toBeVisible()
    expect(page.search().get('search')).toBe('heat')
  })

  it('drills down from a metric to a label, its values and a graph', async () => {
    const page = renderPage(<ExplorerPage />, answers)
    await userEvent.click(await screen.findByRole('button', { name: /^http_requests_total/ }))
    const facts = await screen.findByRole('region', { name: 'Metric http_requests_total' })
    expect(within(facts).getByRole('link', { name: 'Graph of the rate' })).toHaveAttribute(
      'href',
      expect.stringContaining('rate%28http_requests_total%5B5m%5D%29'),
    )
    await userEvent.click(await within(facts).findByRole('button', { name: 'k8s.pod, 3 values' }))
    const values = await screen.findByRole('region', { name: 'Values of k8s.pod' })
    expect(await within(values).findByText('3 values')).toBeVisible()
    const graph = within(values).getByRole('link', { name: 'Graph of k8s.pod="p2"' })
    expect(new URL(graph.getAttribute('href')!, 'http://h').searchParams.get('g0.expr')).toBe(
      'http_requests_total{"k8s.pod"="p2"}',
    )
    await userEvent.click(within(values).getByRole('button', { name: 'Only k8s.pod="p2"' }))
    await waitFor(() => expect(page.search().get('where')).toBe('k8s.pod=p2'))
    await waitFor(() =>
      expect(page.requests.at(-1)?.searchParams.get('match[]')).toBe('http_requests_total{"k8s.pod"="p2"}'),
    )
    await userEvent.click(screen.getByRole('button', { name: 'Remove k8s.pod="p2"' }))
    await waitFor(() => expect(page.search().get('where')).toBeNull())
    expect(page.search().get('metric')).toBe('http_requests_total')
  })

  it('says what other targets say', async () => {
    renderPage(<ExplorerPage />, answers, '?metric=temperature')
    expect(await screen.findByText('Other targets say: gauge · Warmth.')).toBeVisible()
  })

  it('does without metadata', async () => {
    renderPage(<ExplorerPage />, { ...answers, 'api/v1/metadata': () => failure(500, 'no <i>metadata</i>') })
    expect(await screen.findByText('3 metrics')).toBeVisible()
    expect(await screen.findByText('Types and help texts are missing: no <i>metadata</i>')).toBeVisible()
  })

  it('makes only what is seen of thousands of metrics', async () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `metric_${index}`)
    renderPage(<ExplorerPage />, {
      ...answers,
      'api/v1/metadata': {},
      'api/v1/label/__name__/values': () => success(names),
    })
    expect(await screen.findByText('20,000 metrics')).toBeVisible()
    expect(within(screen.getByRole('region', { name: 'Metrics' })).getAllByRole('button').length).toBeLessThan(60)
  })

  it('teaches when there is nothing', async () => {
    renderPage(<ExplorerPage />, { ...answers, 'api/v1/metadata': {}, 'api/v1/label/__name__/values': [] })
    expect(await screen.findByText('There are no metrics in this time.')).toBeVisible()
  })

  it.each(HOSTILE)('shows %j as text', async (text) => {
    renderPage(
      <ExplorerPage />,
      {
        'api/v1/metadata': { [text]: [{ type: text, help: `help ${text}`, unit: text }] },
        'api/v1/label/__name__/values': [text],
        'api/v1/labels': [],
      },
      `?${new URLSearchParams({ metric: text, where: `job=${text}` }).toString()}`,
    )
    await screen.findByText(`help ${text}`, { normalizer: (shown) => shown })
    expectOnlyText(`help ${text}`)
  })
})

describe('the questions of the explorer', () => {
  it('cover whole minutes', () => {
    expect(rangeParams(rangeNamed('1h'), 1_700_000_001_234)).toEqual({ start: '1699996440', end: '1700000040' })
    expect(rangeParams(rangeNamed('all'), 0)).toEqual({})
    expect(rangeNamed('no such').value).toBe('1h')
  })
  it('select a metric and conditions', () => {
    expect(matchParams('', {})).toEqual({})
    expect(matchParams('up', parseConditions(['job=a=b', '=x', 'y']))).toEqual({ 'match[]': 'up{job="a=b"}' })
  })
})
