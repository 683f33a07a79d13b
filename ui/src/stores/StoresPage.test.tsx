import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { parseStores } from '../answers/stores'
import { HOSTILE, expectOnlyText, failure, renderPage, success } from '../parts/testing'
import { axisOf, filterStores, withHeadings } from './filter'
import StoresPage from './StoresPage'

const STORES = {
  sidecar: [
    {
      name: 'prom-a:10901',
      lastCheck: '2026-11-25T03:21:47Z',
      lastError: null,
      labelSets: [{ cluster: 'eu1', replica: '0' }],
      minTime: 1780358414162,
      maxTime: 9223372036854775807,
    },
    {
      name: 'prom-b:10901',
      lastCheck: '2026-11-25T03:21:47Z',
      lastError: 'connection refused',
      labelSets: [{ cluster: 'us1', replica: '0' }],
      minTime: 9223372036854775807,
      maxTime: -9223372036854775808,
    },
  ],
  store: [
    {
      name: 'gateway:10901',
      lastCheck: '2026-11-25T03:21:47Z',
      lastError: null,
      labelSets: Array.from({ length: 7 }, (_, i) => ({ cluster: `old${String(i)}` })),
      minTime: 1778112000000,
      maxTime: 1779494400000,
    },
  ],
}

const PATH = 'api/v1/stores'

describe('the stores page', () => {
  it('shows stores by type with health, labels, ranges and errors', async () => {
    renderPage(<StoresPage />, { [PATH]: STORES })
    const list = await screen.findByRole('region', { name: 'Stores' })
    expect(
      within(list)
        .getAllByRole('heading')
        .map((heading) => heading.textContent),
    ).toEqual(['sidecar', 'store'])
    expect(within(list).getByText('connection refused')).toBeVisible()
    expect(within(list).getByText('holds no data')).toBeVisible()
    expect(within(list).getByRole('img', { name: '2026-06-02 00:00:14.162 to now' })).toBeVisible()
    expect(within(list).getByText('cluster="eu1"')).toBeVisible()
    expect(screen.getByText('3 stores')).toBeVisible()
  })

  it('shows all label sets when asked', async () => {
    renderPage(<StoresPage />, { [PATH]: STORES })
    const more = await screen.findByRole('button', { name: 'Show 3 more' })
    expect(screen.queryByText('cluster="old6"')).toBeNull()
    await userEvent.click(more)
    expect(screen.getByText('cluster="old6"')).toBeVisible()
  })

  it('filters, and keeps the filters in the URL', async () => {
    const page = renderPage(<StoresPage />, { [PATH]: STORES }, '?health=failing')
    expect(await screen.findByText('1 of 3 stores')).toBeVisible()
    expect(screen.getByText('prom-b:10901')).toBeVisible()
    await userEvent.click(screen.getByRole('checkbox', { name: /^failing/ }))
    expect(await screen.findByText('3 stores')).toBeVisible()
    await userEvent.type(screen.getByRole('searchbox', { name: 'Search stores' }), 'nowhere')
    expect(await screen.findByText('No store matches.')).toBeVisible()
    expect(page.search().get('search')).toBe('nowhere')
    await userEvent.click(screen.getByRole('button', { name: 'Clear the filters' }))
    expect(await screen.findByText('3 stores')).toBeVisible()
    expect(page.search().toString()).toBe('')
  })

  it('searches for a label that is picked', async () => {
    const page = renderPage(<StoresPage />, { [PATH]: STORES })
    await userEvent.click(await screen.findByRole('button', { name: 'Search for cluster="us1"' }))
    expect(await screen.findByText('1 of 3 stores')).toBeVisible()
    expect(page.search().get('search')).toBe('cluster="us1"')
    expect(screen.getByRole('searchbox')).toHaveValue('cluster="us1"')
  })

  it('teaches when there is nothing', async () => {
    renderPage(<StoresPage />, { [PATH]: {} })
    expect(await screen.findByText('This querier knows no stores.')).toBeVisible()
    expect(screen.getByText('--endpoint=host:10901')).toBeVisible()
  })

  it('says what went wrong, and tries again', async () => {
    let asked = 0
    renderPage(<StoresPage />, {
      [PATH]: () => (++asked === 1 ? failure(500, 'out of <b>luck</b>') : success(STORES, ['one is slow'])),
    })
    expect(await screen.findByText('out of <b>luck</b>')).toBeVisible()
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByText('prom-a:10901')).toBeVisible()
    expect(screen.getByText('one is slow')).toBeVisible()
    await waitFor(() => {
      expect(screen.queryByRole('alert')).toBeNull()
    })
  })

  it.each(HOSTILE)('shows %j as text', async (text) => {
    renderPage(<StoresPage />, {
      [PATH]: {
        [text]: [
          { name: text, lastError: `error ${text}`, labelSets: [{ [text]: `value ${text}` }], minTime: 1, maxTime: 2 },
        ],
      },
    })
    await screen.findByText(`error ${text}`, { normalizer: (shown) => shown })
    expectOnlyText(`error ${text}`)
  })
})

describe('the axis of stores', () => {
  const now = 1780500000000
  it('goes from the oldest sample until now', () => {
    const axis = axisOf(parseStores(STORES), now)
    expect(axis.fromMs).toBeLessThan(1778112000000)
    expect(axis.toMs).toBeGreaterThanOrEqual(now)
    expect(axisOf([], now)).toEqual({ fromMs: now - 86_400_000, toMs: now })
  })
})

describe('the filter of stores', () => {
  const stores = parseStores(STORES)
  it.each([
    ['', [], [], 3],
    ['cluster=old3', [], [], 1],
    ['cluster!=eu1 prom', [], [], 1],
    ['refused', [], [], 1],
    ['', ['sidecar'], [], 2],
    ['', ['sidecar'], ['healthy'], 1],
    ['', ['receive'], [], 0],
  ])('%j types %j health %j finds %d', (search, types, health, count) => {
    expect(filterStores(stores, { search, types, health })).toHaveLength(count)
  })
  it('puts headings before types', () => {
    expect(
      withHeadings(stores).map((item) =>
        item.kind === 'type' ? `${item.type} ${String(item.failing)}` : item.store.name,
      ),
    ).toEqual(['sidecar 1', 'prom-a:10901', 'prom-b:10901', 'store 0', 'gateway:10901'])
  })
})
