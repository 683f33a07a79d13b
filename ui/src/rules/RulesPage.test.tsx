import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import AlertsPage from '../alerts/AlertsPage'
import { expectOnlyText, HOSTILE, renderPage } from '../parts/testing'
import RulesPage from './RulesPage'

const PATH = 'api/v1/rules'
const alert = (instance: string, state: string) => ({
  labels: { alertname: 'Down', instance, severity: 'page' },
  annotations: { summary: `${instance} is down`, runbook_url: 'https://runbooks.example/down' },
  state,
  activeAt: '2026-11-25T03:21:47Z',
  value: '1e+00',
})
const GROUPS = {
  groups: [
    {
      name: 'availability',
      file: '/etc/rules/a.yaml',
      interval: 30,
      lastEvaluation: '2026-11-25T03:21:47Z',
      rules: [
        {
          type: 'alerting',
          name: 'Down',
          query: 'up == 0',
          state: 'firing',
          health: 'ok',
          duration: 300,
          labels: { severity: 'page' },
          annotations: { summary: '{{ $labels.instance }} is down' },
          alerts: [alert('b:1', 'pending'), alert('a:1', 'firing')],
        },
        {
          type: 'alerting',
          name: 'Slow',
          query: 'latency > 1',
          state: 'inactive',
          health: 'err',
          lastError: 'many-to-many',
          alerts: [],
        },
      ],
    },
    {
      name: 'sums',
      file: '/etc/rules/b.yaml',
      rules: [{ type: 'recording', name: 'job:up:sum', query: 'sum by (job) (up)', health: 'ok' }],
    },
  ],
}

describe('the rules page', () => {
  it('shows rules by group, with state, health and links', async () => {
    renderPage(<RulesPage />, { [PATH]: GROUPS })
    const list = await screen.findByRole('region', { name: 'Rules' })
    expect(
      within(list)
        .getAllByRole('heading')
        .map((heading) => heading.textContent?.slice(2)),
    ).toEqual(['availability', 'sums'])
    expect(within(list).getByText('many-to-many')).toBeVisible()
    expect(within(list).getByText('for 5m')).toBeVisible()
    const hrefs = within(list)
      .getAllByRole('link')
      .map((link) => new URL(link.getAttribute('href')!, 'http://h'))
    expect(hrefs.map((url) => url.searchParams.get('g0.expr') ?? url.searchParams.get('search'))).toEqual([
      'up == 0',
      'alertname="Down"',
      'latency > 1',
      'sum by (job) (up)',
      'job:up:sum',
    ])
  })

  it.each([
    ['?state=firing', 1],
    ['?health=err', 1],
    ['?type=recording', 1],
    ['?type=alerting', 2],
    ['?search=b.yaml', 1],
    ['?search=severity%3Dpage', 1],
    ['?search=job', 1],
    ['?state=firing&search=latency', 0],
  ])('filters by %s', async (search, count) => {
    renderPage(<RulesPage />, { [PATH]: GROUPS }, search)
    expect(await screen.findByText(`${String(count)} of 3 rules`)).toBeVisible()
    if (count === 0) expect(screen.getByText('No rule matches.')).toBeVisible()
  })

  it('teaches when there is nothing', async () => {
    renderPage(<RulesPage />, { [PATH]: { groups: [] } })
    expect(await screen.findByText('No endpoint tells of rules.')).toBeVisible()
  })
})

describe('the alerts page', () => {
  it('shows what fires first, with a link to its graph and its runbook', async () => {
    const page = renderPage(<AlertsPage />, { [PATH]: GROUPS })
    const list = await screen.findByRole('region', { name: 'Alerts' })
    expect(page.requests[0]?.search).toBe('?type=alert')
    expect(
      within(list)
        .getAllByText(/is down$/)
        .map((text) => text.textContent),
    ).toEqual(['a:1 is down', 'b:1 is down'])
    expect(within(list).getAllByRole('link', { name: 'https://runbooks.example/down' })).toHaveLength(2)
    expect(within(list).getByText('1 firing')).toBeVisible()
  })

  it('filters by state, searches for picked labels, and groups by them', async () => {
    const page = renderPage(<AlertsPage />, { [PATH]: GROUPS }, '?by=label:instance&state=pending')
    expect(await screen.findByText('1 of 2 alerts')).toBeVisible()
    expect(screen.getByRole('button', { name: 'b:1' })).toBeVisible()
    await userEvent.click(screen.getByRole('checkbox', { name: 'pending (1)' }))
    await userEvent.click(await screen.findByRole('button', { name: 'Search for instance="a:1"' }))
    expect(await screen.findByText('1 of 2 alerts')).toBeVisible()
    expect(page.search().get('search')).toBe('instance="a:1"')
  })

  it('says that all is quiet', async () => {
    renderPage(<AlertsPage />, {
      [PATH]: { groups: [{ name: 'g', rules: [{ type: 'alerting', name: 'a', alerts: [] }] }] },
    })
    expect(await screen.findByText('Nothing fires, and nothing is pending.')).toBeVisible()
    expect(screen.getByText(/^The one alerting rule is quiet/)).toBeVisible()
  })
})

describe.each([
  ['rules', <RulesPage key="rules" />],
  ['alerts', <AlertsPage key="alerts" />],
])('the %s page', (_, page) => {
  it.each(HOSTILE)('shows %j as text', async (text) => {
    const labels = { [text]: `label ${text}` }
    renderPage(page, {
      [PATH]: {
        groups: [
          {
            name: text,
            file: text,
            rules: [
              {
                type: 'alerting',
                name: text,
                query: text,
                state: 'firing',
                health: 'err',
                lastError: text,
                labels,
                annotations: { [text]: text, note: `note ${text}` },
                alerts: [{ labels, annotations: { [text]: text, note: `note ${text}` }, state: 'firing', value: text }],
              },
            ],
          },
        ],
      },
    })
    await screen.findByText(`note ${text}`, { normalizer: (shown) => shown })
    expectOnlyText(`note ${text}`)
  })
})
