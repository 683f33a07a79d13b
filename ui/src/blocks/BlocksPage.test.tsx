import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it } from 'vitest'
import { HOSTILE, expectOnlyText, failure, renderPage, success, type FakeAnswers } from '../parts/testing'
import BlocksPage from './BlocksPage'
import { HOUR_MS, metaOf } from './testing'

const START = Date.UTC(2026, 5, 1)
const ID = {
  a: '01AAAAAAAAAAAAAAAAAAAAAAAA',
  b: '01BBBBBBBBBBBBBBBBBBBBBBBB',
  c: '01CCCCCCCCCCCCCCCCCCCCCCCC',
  d: '01DDDDDDDDDDDDDDDDDDDDDDDD',
}

const at = (hour: number) => START + hour * HOUR_MS
const BLOCKS = [
  metaOf({ ulid: ID.a, minTime: at(0), maxTime: at(2) }),
  metaOf({ ulid: ID.b, minTime: at(6), maxTime: at(8), bytes: 5 << 20 }),
  metaOf({ ulid: ID.c, minTime: at(7), maxTime: at(9), level: 2 }),
  metaOf({ ulid: ID.d, minTime: at(0), maxTime: at(8), level: 3, resolution: 300_000, labels: { cluster: 'us1' } }),
]

const answers = (more: FakeAnswers = {}): FakeAnswers => ({
  'api/v1/blocks': { label: '', blocks: BLOCKS, refreshedAt: new Date(START).toISOString(), err: null },
  'api/v1/blocks/marks': { marks: [] },
  'api/v1/blocks/mark': () => new Response(null, { status: 204 }),
  ...more,
})

function configure(adminOperations: boolean): void {
  const element = document.createElement('script')
  element.id = 'aevum-config'
  element.type = 'application/json'
  element.textContent = JSON.stringify({ prefix: '', component: 'store', adminOperations })
  document.head.append(element)
}

afterEach(() => {
  document.getElementById('aevum-config')?.remove()
})

describe('the blocks page', () => {
  it('asks for its view', async () => {
    const loaded = renderPage(<BlocksPage view="loaded" />, answers())
    await screen.findByText('4 blocks')
    expect(loaded.requests[0]?.search).toBe('?view=loaded')
    loaded.unmount()
    const global = renderPage(<BlocksPage view="global" />, answers())
    await screen.findByText('4 blocks')
    expect(global.requests[0]?.search).toBe('')
  })

  it('goes from block to block with the keys, and opens one', async () => {
    const page = renderPage(<BlocksPage />, answers())
    const axis = await screen.findByRole('application', { name: 'Blocks on a time axis' })
    axis.focus()
    await userEvent.keyboard('{ArrowRight}')
    expect(
      screen.getByText(new RegExp(`^Block ${ID.a}, 2026-06-01 00:00:00 to 2026-06-01 02:00:00 \\(2h\\), level 1, raw`)),
    ).toBeInTheDocument()
    await userEvent.keyboard('{ArrowRight}{ArrowDown}')
    expect(screen.getByText(new RegExp(`^Block ${ID.c}.*overlaps another block`))).toBeInTheDocument()
    await userEvent.keyboard('{Enter}')
    expect(await screen.findByRole('dialog', { name: `Block ${ID.c}` })).toBeVisible()
    expect(page.search().get('block')).toBe(ID.c)
  })

  it('zooms, and keeps the window in the URL', async () => {
    const page = renderPage(<BlocksPage />, answers())
    await userEvent.click(await screen.findByRole('button', { name: 'Zoom in' }))
    await waitFor(() => {
      expect(page.search().get('from')).not.toBeNull()
    })
    const span = Number(page.search().get('to')) - Number(page.search().get('from'))
    expect(span).toBeGreaterThan(4 * HOUR_MS)
    expect(span).toBeLessThan(5 * HOUR_MS)
    screen.getByRole('application').focus()
    await userEvent.keyboard('{Shift>}{ArrowLeft}{/Shift}+')
    await waitFor(() => {
      expect(Number(page.search().get('to')) - Number(page.search().get('from'))).toBeLessThan(3 * HOUR_MS)
    })
    await userEvent.keyboard('0')
    await waitFor(() => {
      expect(page.search().get('from')).toBeNull()
    })
  })

  it('zooms into what the mouse is dragged over, and opens what is clicked', async () => {
    const page = renderPage(<BlocksPage />, answers())
    const axis = await screen.findByRole('application')
    const canvas = axis.querySelector('canvas')!
    const pointer = (clientX: number, clientY = 20) => ({ clientX, clientY, button: 0, pointerType: 'mouse' })
    fireEvent.pointerDown(canvas, pointer(200))
    fireEvent.pointerMove(canvas, pointer(400))
    fireEvent.pointerUp(canvas, pointer(400))
    await waitFor(() => {
      expect(page.search().get('from')).not.toBeNull()
    })
    expect(page.search().get('block')).toBeNull()
    await userEvent.click(screen.getByRole('button', { name: 'Show all' }))
    // The first lane of level 1 is below the heading of its source.
    fireEvent.pointerDown(canvas, pointer(60, 42))
    fireEvent.pointerUp(canvas, pointer(60, 42))
    await waitFor(() => {
      expect(page.search().get('block')).toBe(ID.a)
    })
  })

  it('tells overlaps and gaps in words', async () => {
    renderPage(<BlocksPage />, answers())
    await userEvent.click(await screen.findByRole('button', { name: '1 overlap, 1 gap' }))
    const faults = screen.getByRole('region', { name: 'Overlaps and gaps' })
    expect(within(faults).getByText('4h at 2026-06-01 02:00:00, raw, cluster="eu1"')).toBeVisible()
    expect(within(faults).getByText('1h at 2026-06-01 07:00:00, raw, cluster="eu1"')).toBeVisible()
    await userEvent.click(within(faults).getAllByRole('button', { name: 'Show' })[0]!)
  })

  it('filters by ID, label, level and resolution', async () => {
    const page = renderPage(<BlocksPage />, answers(), '?level=1')
    expect(await screen.findByText('2 of 4 blocks')).toBeVisible()
    await userEvent.click(screen.getByRole('checkbox', { name: '1 (2)' }))
    await userEvent.click(screen.getByRole('checkbox', { name: '5m (1)' }))
    expect(await screen.findByText('1 of 4 blocks')).toBeVisible()
    expect(page.search().get('resolution')).toBe('300000')
    await userEvent.type(screen.getByRole('searchbox'), 'cluster=eu1')
    expect(await screen.findByText('No block matches.')).toBeVisible()
  })

  it('lists blocks, the newest first', async () => {
    const page = renderPage(<BlocksPage />, answers())
    await userEvent.click(await screen.findByRole('radio', { name: 'List' }))
    const list = await screen.findByRole('region', { name: 'Blocks' })
    expect(
      within(list)
        .getAllByRole('button', { name: /^01/ })
        .map((button) => button.textContent),
    ).toEqual([ID.c, ID.b, ID.d, ID.a])
    expect(page.search().get('as')).toBe('list')
    await userEvent.click(within(list).getByRole('button', { name: ID.b }))
    expect(await screen.findByRole('dialog', { name: `Block ${ID.b}` })).toBeVisible()
  })

  it('shows details, files, marks and meta.json of a block that a link names', async () => {
    renderPage(
      <BlocksPage />,
      answers({
        'api/v1/blocks/marks': {
          marks: [{ marker: 'no-compact-mark.json', time: 1780300000, details: 'too big', reason: 'manual' }],
        },
      }),
      `?block=${ID.b}`,
    )
    const dialog = await screen.findByRole('dialog', { name: `Block ${ID.b}` })
    expect(within(dialog).getByText(/^5\.0 MiB \(/)).toBeVisible()
    expect(within(dialog).getByRole('region', { name: 'meta.json' })).toHaveTextContent(`"ulid": "${ID.b}"`)
    expect(await within(dialog).findByText('not to be compacted')).toBeVisible()
    expect(within(dialog).getByText(/reason manual: too big/)).toBeVisible()
    await userEvent.keyboard('{Escape}')
    await waitFor(() => {
      expect(screen.queryByRole('dialog')).toBeNull()
    })
  })

  it.each([
    ['Mark for deletion…', 'Mark for deletion', 'DELETION'],
    ['Mark for no compaction…', 'Mark for no compaction', 'NO_COMPACTION'],
  ])('%s asks first', async (open, confirm, action) => {
    configure(true)
    let marks = 0
    const page = renderPage(
      <BlocksPage />,
      answers({
        'api/v1/blocks/marks': () => {
          ++marks
          return success({ marks: [] })
        },
      }),
      `?block=${ID.b}`,
    )
    await userEvent.click(await screen.findByRole('button', { name: open }))
    const dialog = await screen.findByRole('dialog', { name: /\?$/ })
    await userEvent.click(within(dialog).getByRole('button', { name: 'Cancel' }))
    expect(page.posts).toEqual([])
    await userEvent.click(await screen.findByRole('button', { name: open }))
    const again = await screen.findByRole('dialog', { name: /\?$/ })
    await userEvent.type(within(again).getByLabelText('Why (kept in the mark)'), 'made twice')
    await userEvent.click(within(again).getByRole('button', { name: confirm }))
    await waitFor(() => {
      expect(marks).toBe(2)
    })
    expect(page.posts.map((post) => [post.path, Object.fromEntries(post.params)])).toEqual([
      ['/api/v1/blocks/mark', { id: ID.b, action, detail: 'made twice' }],
    ])
  })

  it('says why a block was not marked', async () => {
    configure(true)
    renderPage(
      <BlocksPage />,
      answers({ 'api/v1/blocks/mark': () => failure(400, 'the bucket has no block <x>') }),
      `?block=${ID.b}`,
    )
    await userEvent.click(await screen.findByRole('button', { name: 'Mark for deletion…' }))
    await userEvent.click(await screen.findByRole('button', { name: 'Mark for deletion' }))
    expect(await screen.findByText('the bucket has no block <x>')).toBeVisible()
  })

  it.each([[false], [undefined]])('offers no marks when the server says %s', async (allowed) => {
    if (allowed !== undefined) configure(allowed)
    renderPage(<BlocksPage />, answers({ 'api/v1/blocks/marks': undefined }), `?block=${ID.b}`)
    expect(await screen.findByText('This server does not tell which marks a block has.')).toBeVisible()
    expect(screen.queryByRole('button', { name: /^Mark/ })).toBeNull()
  })

  it('teaches when there is nothing', async () => {
    const never = renderPage(
      <BlocksPage />,
      answers({ 'api/v1/blocks': { label: '', blocks: [], refreshedAt: '0001-01-01T00:00:00Z', err: null } }),
    )
    expect(await screen.findByText('Nobody has looked into the bucket yet.')).toBeVisible()
    never.unmount()
    renderPage(
      <BlocksPage />,
      answers({
        'api/v1/blocks': { label: '', blocks: [], refreshedAt: '2026-06-01T00:00:00Z', err: 'bucket <gone>' },
      }),
    )
    expect(await screen.findByText('There are no blocks.')).toBeVisible()
    expect(screen.getByRole('alert')).toHaveTextContent('bucket <gone>')
  })

  it.each(HOSTILE)('shows %j as text', async (text) => {
    const meta = metaOf({ ulid: text, labels: { [text]: `value ${text}` }, sources: [text] })
    ;(meta['thanos'] as Record<string, unknown>)['source'] = `made by ${text}`
    renderPage(
      <BlocksPage />,
      answers({
        'api/v1/blocks': { label: '', blocks: [meta], refreshedAt: null, err: text },
        'api/v1/blocks/marks': {
          marks: [{ marker: 'deletion-mark.json', time: 1, details: `mark ${text}`, reason: text }],
        },
      }),
      `?${new URLSearchParams({ block: text }).toString()}`,
    )
    await screen.findByText((content) => content.includes(`mark ${text}`), { normalizer: (shown) => shown })
    expectOnlyText(`made by ${text}`)
    expectOnlyText(`Block ${text}`)
  })
})
