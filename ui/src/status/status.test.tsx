import { screen, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { parseExposition, sumOf } from '../answers/exposition'
import { HOSTILE, expectOnlyText, renderPage } from '../parts/testing'
import { cachesOf } from './caches'
import StatusPage from './StatusPage'

const METRICS = `# HELP process_open_fds Files.
process_open_fds 12
process_resident_memory_bytes 1.048576e+06
other 3
thanos_store_index_cache_requests_total{item_type="Postings"} 10
thanos_store_index_cache_hits_total{item_type="Postings"} 4
thanos_store_index_cache_requests_total{item_type="Series"} 0
`

describe('parseExposition', () => {
  it.each([
    ['a 1', [{ name: 'a', labels: {}, value: 1 }]],
    ['a{} 1 1700000000000', [{ name: 'a', labels: {}, value: 1 }]],
    ['a{x="1",y="}\\" 2"} 2.5e3', [{ name: 'a', labels: { x: '1', y: '}" 2' }, value: 2500 }]],
    ['a NaN', []],
    ['a', []],
    ['# a 1', []],
    ['b 1', []],
    ['a{ 1', []],
  ])('%j', (text, samples) => {
    expect(parseExposition(text, ['a'])).toEqual(samples)
  })

  it('adds up what is there', () => {
    const samples = parseExposition('a{x="1"} 1\na{x="2"} 2\nab 4', ['a'])
    expect(sumOf(samples, 'a')).toBe(3)
    expect(sumOf(samples, 'b')).toBeNull()
  })
})

it('counts the hits of each kind', () => {
  expect(cachesOf(parseExposition(METRICS, ['thanos_']))).toEqual([
    { name: 'index: Postings', requests: 10, hits: 4 },
    { name: 'index: Series', requests: 0, hits: 0 },
  ])
})

describe('the status page', () => {
  const answers = {
    'api/v1/status/buildinfo': { version: '1.2.3', revision: 'abc' },
    'api/v1/status/runtimeinfo': { startTime: '2026-06-01T00:00:00Z', CWD: '/var', GOMAXPROCS: 4 },
    metrics: () => new Response(METRICS),
  }

  it('tells of build, runtime, memory and caches', async () => {
    renderPage(<StatusPage />, answers)
    expect(await screen.findByText('1.2.3')).toBeVisible()
    expect(await screen.findByText('1.0 MiB')).toBeVisible()
    const caches = screen.getByRole('region', { name: 'Caches' })
    expect(within(caches).getByText('4 (40%)')).toBeVisible()
    expect(screen.getByRole('link', { name: /packages/ })).toHaveAttribute('href', 'licenses.txt')
  })

  it('goes on without metrics', async () => {
    renderPage(<StatusPage />, { ...answers, metrics: () => new Response('no', { status: 404 }) })
    expect(await screen.findByText('1.2.3')).toBeVisible()
    expect(await screen.findByRole('alert')).toHaveTextContent('could not be read from here')
  })

  it.each(HOSTILE)('shows %j as text', async (text) => {
    renderPage(<StatusPage />, { ...answers, 'api/v1/status/buildinfo': { version: text, revision: text } })
    await screen.findAllByText((_, element) => element?.tagName === 'DD' && element.textContent === text)
    expectOnlyText(text)
  })
})
