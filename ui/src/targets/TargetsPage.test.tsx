import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { expectOnlyText, HOSTILE, HOSTILE_URLS, renderPage, success } from '../parts/testing'
import { webAddress } from '../parts/SafeLink'
import TargetsPage from './TargetsPage'

const PATH = 'api/v1/targets'
const target = (job: string, health: string, more: object = {}) => ({
  scrapePool: job,
  labels: { job, instance: `${job}:9100`, cluster: health === 'up' ? 'eu1' : 'us1' },
  discoveredLabels: { __address__: `${job}:9100` },
  scrapeUrl: `http://${job}:9100/metrics`,
  globalUrl: `http://${job}.example:9100/metrics`,
  health,
  lastError: health === 'down' ? 'connection refused' : '',
  lastScrape: '2026-11-25T03:21:47Z',
  lastScrapeDuration: 0.012,
  ...more,
})
const TARGETS = {
  activeTargets: [target('api', 'up'), target('node', 'up'), target('node', 'down')],
  droppedTargets: [{ discoveredLabels: { __address__: 'old:1' } }, { discoveredLabels: { __address__: 'old:2' } }],
}

const headings = () =>
  within(screen.getByRole('region', { name: 'Targets' }))
    .getAllByRole('heading')
    .map((heading) => heading.textContent?.slice(2))

describe('the targets page', () => {
  it('shows targets by pool, those with something down first', async () => {
    renderPage(<TargetsPage />, { [PATH]: TARGETS })
    await screen.findByText('3 targets')
    expect(headings()).toEqual(['node', 'api'])
    expect(screen.getByText('connection refused')).toBeVisible()
    expect(screen.getByText('1 down')).toBeVisible()
    expect(screen.getByRole('link', { name: 'http://api.example:9100/metrics' })).toHaveAttribute(
      'rel',
      'noopener noreferrer nofollow',
    )
    const graphs = screen
      .getAllByRole('link', { name: 'Graph of up' })
      .map((link) => new URL(link.getAttribute('href')!, 'http://h'))
    expect(graphs.map((url) => url.searchParams.get('g0.expr'))).toContain(
      'up{cluster="eu1", instance="api:9100", job="api"}',
    )
  })

  it('filters by health and search, and groups by labels', async () => {
    const page = renderPage(<TargetsPage />, { [PATH]: TARGETS }, '?by=label:cluster')
    await screen.findByText('3 targets')
    expect(headings()).toEqual(['us1', 'eu1'])
    await userEvent.click(screen.getByRole('checkbox', { name: 'up (2)' }))
    expect(await screen.findByText('2 of 3 targets')).toBeVisible()
    await userEvent.type(screen.getByRole('searchbox'), 'job=node')
    expect(await screen.findByText('1 of 3 targets')).toBeVisible()
    expect(page.search().toString()).toBe('by=label%3Acluster&health=up&search=job%3Dnode')
  })

  it('closes groups, and shows discovered labels', async () => {
    renderPage(<TargetsPage />, { [PATH]: TARGETS })
    await userEvent.click((await screen.findAllByRole('button', { name: 'Discovered labels' }))[0]!)
    expect(screen.getByText('__address__="node:9100"')).toBeVisible()
    await userEvent.click(screen.getByRole('button', { name: 'node' }))
    expect(screen.queryByText('connection refused')).toBeNull()
    expect(screen.getByRole('button', { name: 'node' })).toHaveAttribute('aria-expanded', 'false')
  })

  it('shows what was dropped', async () => {
    renderPage(<TargetsPage />, { [PATH]: TARGETS })
    await userEvent.click(await screen.findByRole('button', { name: 'Show 2 dropped targets' }))
    expect(await screen.findByText('__address__="old:2"')).toBeVisible()
  })

  it('teaches when there is nothing, and tells what is missing', async () => {
    renderPage(<TargetsPage />, {
      [PATH]: () => success({ activeTargets: [], droppedTargets: [] }, ['a sidecar is <down>']),
    })
    expect(await screen.findByText('No endpoint tells of targets.')).toBeVisible()
    expect(screen.getByText('a sidecar is <down>')).toBeVisible()
  })

  it.each(HOSTILE)('shows %j as text', async (text) => {
    renderPage(<TargetsPage />, {
      [PATH]: {
        activeTargets: [target(text, 'down', { globalUrl: text, lastError: `error ${text}` })],
        droppedTargets: [],
      },
    })
    await screen.findByText(`error ${text}`, { normalizer: (shown) => shown })
    expectOnlyText(`error ${text}`)
  })
})

describe('addresses of others', () => {
  it.each(HOSTILE_URLS)('%j is no link', (url) => {
    expect(webAddress(url)).toBeNull()
  })
  it.each([
    ['http://h:9090/metrics', 'http://h:9090/metrics'],
    ['HTTPS://h/a?b=c#d', 'https://h/a?b=c#d'],
    ['https://[::1]:9100/', 'https://[::1]:9100/'],
  ])('%j is one', (url, target_) => {
    expect(webAddress(url)).toBe(target_)
  })
})
