// The pages about the blocks of a bucket.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { accessibilityFaults } from './accessibility.ts'
import { expect, open, test } from './fixtures.ts'
import { stackUrls } from './stack.ts'

const ulid = '01M88B6F8CWDFH904TTMNWSDF0'

test('blocks are found by ID, label, level and resolution', async ({ page }) => {
  await open(page, `${stackUrls().bucket}/blocks`)
  await expect(page.getByText('6 blocks', { exact: true })).toBeVisible()
  await page.getByRole('searchbox').fill(ulid)
  await expect(page.getByText('1 of 6 blocks')).toBeVisible()
  await page.getByRole('searchbox').fill('cluster=us1')
  await expect(page.getByText('2 of 6 blocks')).toBeVisible()
  await page.reload()
  await expect(page.getByText('2 of 6 blocks')).toBeVisible()
})

test('overlaps and gaps stand out', async ({ page }) => {
  await open(page, `${stackUrls().bucket}/blocks`)
  await page.getByRole('button', { name: /overlap/ }).click()
  await expect(page.getByRole('region', { name: 'Overlaps and gaps' })).toContainText('us1')
})

test('the time axis is walked by keys, and a block opens', async ({ page }) => {
  await open(page, `${stackUrls().bucket}/blocks`)
  await page.getByRole('application', { name: 'Blocks on a time axis' }).focus()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog', { name: /^Block 01/ })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
})

test('a block is marked, after a question', async ({ page }) => {
  const mark = join(stackUrls().folder, ulid, 'no-compact-mark.json')
  await open(page, `${stackUrls().bucket}/blocks?block=${ulid}`)
  const details = page.getByRole('dialog', { name: `Block ${ulid}` })
  await expect(details).toContainText('us1')
  await details.getByRole('button', { name: 'Mark for no compaction…' }).click()
  const question = page.getByRole('dialog', { name: /\?$/ })
  await question.getByLabel(/^Why/).fill('looked at by <a test>')
  expect(existsSync(mark)).toBe(false)
  await question.getByRole('button', { name: 'Mark for no compaction' }).click()
  await expect(question).toHaveCount(0)
  expect(readFileSync(mark, 'utf8')).toContain('looked at by')
  await expect(details.getByText('not to be compacted')).toBeVisible()
  await expect(details.getByText(/looked at by <a test>/)).toBeVisible()
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`details and question in ${colorScheme}: no accessibility fault`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await open(page, `${stackUrls().bucket}/blocks?block=01M88B6VF5A4Q8AM0Y1EAWYWPW`)
    await page.getByRole('button', { name: 'Mark for deletion…' }).click()
    await expect(page.getByRole('dialog', { name: /\?$/ })).toBeVisible()
    expect(await accessibilityFaults(page)).toEqual([])
    await page.getByRole('button', { name: 'Cancel' }).click()
    expect(await accessibilityFaults(page)).toEqual([])
  })
}

test('a store gateway shows the blocks that it has loaded', async ({ page }) => {
  await open(page, `${stackUrls().store}/loaded`)
  await expect(page.getByText('6 blocks', { exact: true })).toBeVisible()
})

test('twenty thousand blocks scroll smoothly', async ({ page }) => {
  const template = JSON.parse(readFileSync(join(stackUrls().folder, ulid, 'meta.json'), 'utf8')) as {
    thanos: Record<string, unknown>
  }
  const hour = 3_600_000
  const blocks = Array.from({ length: 20_000 }, (_, index) => ({
    ...template,
    ulid: `01${String(index).padStart(24, '0')}`,
    minTime: Math.floor(index / 40) * 2 * hour,
    maxTime: (Math.floor(index / 40) + 1) * 2 * hour,
    thanos: { ...template.thanos, labels: { cluster: `c${String(index % 40)}` } },
  }))
  await page.route('**/api/v1/blocks', (route) =>
    route.fulfill({
      json: { status: 'success', data: { label: '', blocks, refreshedAt: new Date().toISOString(), err: null } },
    }),
  )
  await open(page, `${stackUrls().bucket}/blocks?as=list`)
  await expect(page.getByText('20,000 blocks')).toBeVisible()
  const list = page.getByRole('region', { name: 'Blocks' })
  await list.hover()
  // The longest of the frames while the wheel turns, leaving out the worst, for the processor may be busy.
  const frames = page.evaluate(
    () =>
      new Promise<number[]>((resolve) => {
        const times: number[] = []
        let last = performance.now()
        const next = (now: number) => {
          times.push(now - last)
          last = now
          if (times.length < 60) requestAnimationFrame(next)
          else resolve(times)
        }
        requestAnimationFrame(next)
      }),
  )
  for (let turn = 0; turn < 20; ++turn) await page.mouse.wheel(0, 2000)
  const sorted = (await frames).sort((a, b) => a - b)
  test.info().annotations.push({
    type: 'frames',
    description: sorted
      .slice(-5)
      .map((ms) => ms.toFixed(0))
      .join(', '),
  })
  expect(sorted[Math.floor(sorted.length * 0.9)]).toBeLessThan(100)
  expect(await list.getByRole('listitem').count()).toBeLessThan(200)
})
