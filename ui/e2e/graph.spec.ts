// The graph page: from typing a query to reading its answer.
import type { Locator, Page } from '@playwright/test'
import { accessibilityFaults } from './accessibility.ts'
import { expect, open, test } from './fixtures.ts'
import { stackUrls, without } from './stack.ts'

// Two hours in June, which the store gateway alone has.
const june = { 'g0.range_input': '2h', 'g0.end_input': '2026-06-02 14:00:00', 'g0.moment_input': '2026-06-02 13:00:00' }

async function openGraph(page: Page, state: Record<string, string> = {}): Promise<void> {
  await open(page, `${stackUrls().query}/graph?${new URLSearchParams(state).toString()}`)
}

const panel = (page: Page, number = 1) => page.getByRole('region', { name: `Panel ${number}`, exact: true })
const editor = (page: Page, number = 1) => page.getByRole('textbox', { name: `Expression of panel ${number}` })
const series = (place: Locator, count: number) => place.getByText(new RegExp(`(^|\\D)${count} series`)).first()

test('a query is typed with completion, and run', async ({ page }) => {
  await openGraph(page)
  await editor(page).click()
  await page.keyboard.type('demo_temp')
  await page.getByRole('option', { name: /demo_temperature_celsius/ }).click()
  await expect(editor(page)).toHaveText('demo_temperature_celsius')
  await page.keyboard.type('{ro')
  await page.getByRole('option', { name: /room/ }).click()
  await page.keyboard.type('="')
  await expect(page.getByRole('option', { name: '3' })).toBeVisible()
  await page.keyboard.type('3')
  await page.keyboard.press('Escape')
  await panel(page).getByRole('button', { name: 'Execute' }).click()
  await expect(series(panel(page), 1)).toBeVisible()
  await expect(panel(page).getByRole('region', { name: 'Result' })).toContainText('room="3"')
  await expect(page).toHaveURL(/g0\.expr=demo_temperature_celsius/)
  await page.reload()
  await expect(panel(page).getByRole('region', { name: 'Result' })).toContainText('room="3"')
})

test('functions are completed, and a syntax error is shown while typing', async ({ page, watch }) => {
  watch.allow(/status of 400/) // the parser's word on an expression that is not finished
  await openGraph(page)
  await editor(page).click()
  await page.keyboard.type('histogram_qua')
  await expect(page.getByRole('option', { name: /histogram_quantile/ }).first()).toBeVisible()
  await page.keyboard.press('Escape')
  await page.keyboard.type('(')
  await expect(page.locator('.cm-lintRange-error').first()).toBeVisible()
})

test('an error of a query says what is wrong', async ({ page, watch }) => {
  watch.allow(/status of 4\d\d/)
  await openGraph(page, { 'g0.expr': 'up{', 'g0.tab': '1' })
  await expect(page.getByRole('alert')).toContainText('The query failed.')
})

test('an expression is formatted, and found again in the history', async ({ page }) => {
  await openGraph(page, { 'g0.expr': 'sum(up)by(job)', 'g0.tab': '1' })
  await panel(page).getByRole('button', { name: 'Format' }).click()
  await expect(editor(page)).toContainText('sum by (job) (up)')
  await panel(page).getByRole('button', { name: 'Execute' }).click()
  await panel(page).getByRole('button', { name: 'History' }).click()
  await page.getByLabel('Search the history').fill('by (job)')
  await expect(page.getByRole('listitem').filter({ hasText: 'sum by (job) (up)' })).toBeVisible()
})

test('deduplication changes the number of series', async ({ page }) => {
  await openGraph(page, { 'g0.expr': 'demo_temperature_celsius', 'g0.tab': '1' })
  await expect(series(panel(page), 4)).toBeVisible()
  await panel(page).getByRole('switch', { name: 'Deduplication' }).press('Space')
  await expect(series(panel(page), 8)).toBeVisible()
  await expect(page).toHaveURL(/g0\.deduplicate=0/)
  await page.goBack()
  await expect(series(panel(page), 4)).toBeVisible()
})

test('dragging over the graph zooms, and the address says so', async ({ page }) => {
  await openGraph(page, { 'g0.expr': 'sum by (cluster) (up)', 'g0.tab': '0', ...june })
  await expect(series(panel(page), 1)).toBeVisible()
  const box = await page.locator('.u-over').first().boundingBox()
  if (!box) throw new Error('the plot has no place')
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2, { steps: 8 })
  await page.mouse.up()
  await expect(page).not.toHaveURL(/g0\.range_input=2h/)
  await expect(page).toHaveURL(/g0\.range_input=(29|30|31)m|g0\.range_input=\d{4}s|g0\.range_input=\d+m\d+s/)
  await expect(page).toHaveURL(/g0\.end_input=2026-06-02(\+|%20)13(:|%3A)(29|30|31)/)
  await page.goBack()
  await expect(page).toHaveURL(/g0\.range_input=2h/)
})

test('every style of a graph is drawn', async ({ page }) => {
  const styles = { lines: 'sum by (code) (rate(http_requests_total[5m]))', heatmap: 'rate(rpc_latency_seconds[5m])' }
  for (const [style, expr] of Object.entries(styles)) {
    await openGraph(page, { 'g0.expr': expr, 'g0.tab': '0', 'g0.display_mode': style, ...june })
    await expect(panel(page).locator('canvas').first()).toBeVisible()
    expect(await drawnPixels(panel(page).locator('canvas').first())).toBeGreaterThan(1000)
  }
})

// How many pixels of a canvas are not empty.
async function drawnPixels(canvas: Locator): Promise<number> {
  return canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement
    const { data } = (element as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height) ?? { data: [] }
    return data.filter((_, at) => at % 4 === 3 && data[at] !== 0).length
  })
}

test('the legend has the values at the cursor, and chooses series', async ({ page }) => {
  await openGraph(page, { 'g0.expr': 'sum by (cluster) (up)', 'g0.tab': '0', ...june })
  await page.locator('.u-over').first().hover()
  await panel(page).getByLabel('Filter the series').fill('us1')
  await expect(page).toHaveURL(/g0\.legend=us1/)
})

test('a lost store is named, with what is missing', async ({ page }) => {
  await without('store', async () => {
    await openGraph(page, { 'g0.expr': 'count(up)', 'g0.tab': '1', ...june })
    const alert = panel(page).getByRole('alert')
    await expect(alert).toContainText(/missing|incomplete/)
    await expect(alert).toContainText(/127\.0\.0\.1:\d+/)
    await expect(alert).toContainText('eu1')
  })
  await panel(page).getByRole('button', { name: 'Execute' }).click()
  await expect(panel(page).getByRole('region', { name: 'Result' })).toBeVisible()
  await expect(panel(page).getByRole('alert')).toHaveCount(0)
})

test('a lost replica is named, and the other answers', async ({ page }) => {
  await without('sidecar-1', async () => {
    await openGraph(page, { 'g0.expr': 'demo_temperature_celsius', 'g0.tab': '1' })
    await expect(series(panel(page), 4)).toBeVisible()
    await expect(
      panel(page)
        .getByText(/replicas? answered/i)
        .first(),
    ).toBeVisible()
    await expect(panel(page).getByText('replica="1"').first()).toBeVisible()
    await expect(panel(page).getByRole('alert')).toHaveCount(0)
  })
})

test('the plan of a query is explained, and measured', async ({ page }) => {
  await openGraph(page, { 'g0.expr': 'sum by (code) (rate(demo_requests_total[15s]))', 'g0.tab': '2' })
  const plan = panel(page).getByRole('region', { name: 'Plan' })
  await expect(plan).toContainText(/rate/i)
  await panel(page)
    .getByLabel(/^Analyze/)
    .press('Space')
  await expect(page).toHaveURL(/g0\.analyze=1/)
  await expect(plan).toContainText(/\d(ms|µs|s)/)
})

test('panels are added and removed', async ({ page }) => {
  await openGraph(page, { 'g0.expr': 'up', 'g0.tab': '1' })
  await page.getByRole('button', { name: 'Add panel' }).click()
  await expect(editor(page, 2)).toBeVisible()
  await panel(page, 2).getByRole('button', { name: 'Remove panel' }).click()
  await expect(panel(page, 2)).toHaveCount(0)
  await expect(editor(page)).toHaveText('up')
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`all of the graph page in ${colorScheme}: no accessibility fault`, async ({ page, watch }) => {
    watch.allow(/status of 4\d\d/)
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const panels = ['sum by (code) (rate(http_requests_total[5m]))', 'up', 'rate(rpc_latency_seconds[5m])', 'up{', '']
    const tabs = ['0', '2', '1', '1', '1']
    const state = panels.flatMap((expr, at) => [
      [`g${at}.expr`, expr],
      [`g${at}.tab`, tabs[at] ?? ''],
      ...Object.entries(june).map(([name, value]) => [name.replace('g0', `g${at}`), value]),
    ])
    await openGraph(page, Object.fromEntries(state) as Record<string, string>)
    await expect(page.getByRole('alert')).toBeVisible()
    expect(await accessibilityFaults(page)).toEqual([])
  })
}

test('ten thousand points of two hundred series move smoothly', async ({ page }) => {
  const times = Array.from({ length: 10_000 }, (_, at) => 1_780_401_600 + at)
  const result = Array.from({ length: 200 }, (_, number) => ({
    metric: { series: String(number) },
    values: times.map((time) => [time, String(Math.sin(time / 500 + number) + number)]),
  }))
  const body = JSON.stringify({ status: 'success', data: { resultType: 'matrix', result, analysis: {} } })
  await page.route('**/api/v1/query_range**', (route) => route.fulfill({ contentType: 'application/json', body }))
  await openGraph(page, { 'g0.expr': 'many', 'g0.tab': '0', 'g0.range_input': '10000s', 'g0.step_input': '1' })
  await expect(series(panel(page), 200)).toBeVisible({ timeout: 30_000 })
  const box = await page.locator('.u-over').first().boundingBox()
  if (!box) throw new Error('the plot has no place')
  const times60 = page.evaluate(
    () =>
      new Promise<number[]>((resolve) => {
        const frames: number[] = []
        let last = performance.now()
        const next = (now: number) => {
          frames.push(now - last)
          last = now
          if (frames.length < 60) requestAnimationFrame(next)
          else resolve(frames)
        }
        requestAnimationFrame(next)
      }),
  )
  for (let step = 0; step < 40; ++step) await page.mouse.move(box.x + 10 + step * 8, box.y + 50 + step)
  const frames = (await times60).sort((a, b) => a - b)
  test.info().annotations.push({
    type: 'frames',
    description: frames
      .slice(-5)
      .map((ms) => ms.toFixed(0))
      .join(', '),
  })
  // Most of them: the processor may be busy with something else.
  expect(frames[45]).toBeLessThan(100)
})
