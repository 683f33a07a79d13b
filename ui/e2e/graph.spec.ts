// The graph page: from typing a query to reading its answer.
import type { Page } from '@playwright/test'
import { expect, open, test } from './fixtures.ts'
import { stackUrls, without } from './stack.ts'

const editor = (page: Page) => page.locator('.cm-content').first()

async function openGraph(page: Page, state: Record<string, string> = {}): Promise<void> {
  const query = new URLSearchParams(state).toString()
  await open(page, `${stackUrls().query}/graph${query && `?${query}`}`)
}

// The number of series that a panel says it shows.
async function seriesCount(page: Page): Promise<number> {
  const text = await page
    .getByText(/\d+ series/)
    .first()
    .innerText()
  return Number(/(\d+) series/.exec(text)?.[1])
}

test('a query is typed with completion, and run', async ({ page }) => {
  await openGraph(page)
  await editor(page).click()
  await page.keyboard.type('demo_temp')
  const suggestion = page.getByRole('option', { name: /demo_temperature_celsius/ })
  await expect(suggestion).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(editor(page)).toHaveText('demo_temperature_celsius')
  await page.keyboard.type('{ro')
  await expect(page.getByRole('option', { name: /room/ })).toBeVisible()
  await page.keyboard.press('Enter')
  await page.keyboard.type('="1"')
  await expect(editor(page)).toHaveText('demo_temperature_celsius{room="1"}')
  await page.keyboard.press('Escape')
  await page
    .getByRole('button', { name: /^(Execute|Run)/ })
    .first()
    .click()
  await page.getByRole('tab', { name: 'Table' }).first().click()
  await expect(page.getByRole('table').getByText('room="1"').first()).toBeVisible()
  await expect(page).toHaveURL(/g0\.expr=demo_temperature_celsius/)
})

test('a syntax error is shown while typing', async ({ page }) => {
  await openGraph(page)
  await editor(page).click()
  await page.keyboard.type('sum by (code (')
  await expect(page.locator('.cm-lintRange-error').first()).toBeVisible()
})

test('an error of a query says what is wrong', async ({ page, watch }) => {
  watch.allow(/status of 4\d\d/)
  await openGraph(page, { 'g0.expr': 'demo_temperature_celsius * on() group_left() up', 'g0.tab': '1' })
  await expect(page.getByRole('alert').first()).toContainText(/many-to-many|duplicate|matching/)
})

test('deduplication changes the number of series', async ({ page }) => {
  await openGraph(page, { 'g0.expr': 'demo_temperature_celsius', 'g0.tab': '1' })
  await expect.poll(() => seriesCount(page)).toBe(4)
  const deduplication = page.getByRole('switch', { name: /dedup/i }).or(page.getByRole('checkbox', { name: /dedup/i }))
  await deduplication.first().click()
  await expect.poll(() => seriesCount(page)).toBe(8)
  await expect(page).toHaveURL(/g0\.deduplicate=0/)
  await page.goBack()
  await expect.poll(() => seriesCount(page)).toBe(4)
})

test('dragging over the graph zooms, and the address says so', async ({ page }) => {
  await openGraph(page, { 'g0.expr': 'demo_temperature_celsius', 'g0.tab': '0', 'g0.range_input': '5m' })
  const plot = page.locator('.u-over').first()
  await expect(plot).toBeVisible()
  const before = page.url()
  const box = await plot.boundingBox()
  if (!box) throw new Error('the plot has no place')
  await page.mouse.move(box.x + box.width * 0.7, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.9, box.y + box.height / 2, { steps: 8 })
  await page.mouse.up()
  await expect.poll(() => page.url()).not.toBe(before)
  const range = new URL(page.url()).searchParams.get('g0.range_input') ?? ''
  expect(range).toMatch(/^(5\d|6\d)(\.\d+)?s|^1m/)
})

test('a lost store is named, with what is missing', async ({ page }) => {
  // Two hours of June, which the store gateway alone has.
  const old = {
    'g0.expr': 'count(up)',
    'g0.tab': '1',
    'g0.moment_input': '2026-06-02 13:00:00',
    'g0.end_input': '2026-06-02 13:00:00',
  }
  await without('store', async () => {
    await openGraph(page, old)
    const warning = page
      .getByRole('alert')
      .filter({ hasText: /warning|missing|incomplete|partial/i })
      .first()
    await expect(warning).toBeVisible()
    await expect(warning).toContainText(/127\.0\.0\.1:\d+/)
  })
  await page
    .getByRole('button', { name: /^(Execute|Run)/ })
    .first()
    .click()
  await expect(page.getByRole('alert')).toHaveCount(0)
})

test('a lost replica is named, and the other answers', async ({ page }) => {
  await without('sidecar-1', async () => {
    await openGraph(page, { 'g0.expr': 'demo_temperature_celsius', 'g0.tab': '1' })
    await expect.poll(() => seriesCount(page)).toBe(4)
    await expect(page.getByText(/replica="?1/).first()).toBeVisible()
  })
})

test('the plan of a query is explained', async ({ page }) => {
  await openGraph(page, { 'g0.expr': 'sum by (code) (rate(demo_requests_total[15s]))', 'g0.tab': '2' })
  await page
    .getByRole('tab', { name: /Explain/ })
    .first()
    .click()
  await expect(page.getByRole('tabpanel').getByText(/rate/i).first()).toBeVisible()
})

test('a panel can be added and closed', async ({ page }) => {
  await openGraph(page, { 'g0.expr': 'up', 'g0.tab': '1' })
  await page.getByRole('button', { name: /add (panel|query)/i }).click()
  await expect(page.locator('.cm-content')).toHaveCount(2)
  await page
    .getByRole('button', { name: /(remove|close) (panel|query)/i })
    .last()
    .click()
  await expect(page.locator('.cm-content')).toHaveCount(1)
  await expect(editor(page)).toHaveText('up')
})
