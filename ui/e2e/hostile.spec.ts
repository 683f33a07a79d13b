// Texts of others show as text: labels, help, addresses. Twenty texts in three places.
import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { expect, open, test } from './fixtures.ts'
import { stackUrls } from './stack.ts'

const texts = JSON.parse(readFileSync(new URL('testdata/hostile.json', import.meta.url), 'utf8')) as string[]
const numbered = texts.map((text, at) => ({ text, number: String(at).padStart(2, '0') }))

async function expectNothingRan(page: Page): Promise<void> {
  expect(await page.evaluate(() => (window as { hacked?: unknown }).hacked)).toBeUndefined()
  await expect(page.locator('iframe, img, a[href^="javascript:" i], main script, main style')).toHaveCount(0)
}

// The longest part of a text that is shown as it is: no blanks that become others, nothing that is escaped.
function plainPart(text: string): string {
  const parts = text.split(/["\\\p{Cc}\p{Cf}\p{Zl}\s]/u)
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest), '')
}

test('every hostile text has a part to look for', () => {
  expect(texts).toHaveLength(20)
  for (const text of texts) expect(plainPart(text).length).toBeGreaterThan(1)
})

test.describe('as the value of a label', () => {
  for (const { text, number } of numbered) {
    test(`${number} ${JSON.stringify(text.slice(0, 40))}`, async ({ page }) => {
      const query = new URLSearchParams({ 'g0.expr': `hostile_label{case="${number}"}`, 'g0.tab': '1' })
      await page.goto(`${stackUrls().query}/graph?${query.toString()}`)
      await expect(page.getByRole('region', { name: 'Result' })).toContainText(plainPart(text))
      await expectNothingRan(page)
      // In the legend of the graph, too.
      await page.getByRole('tab', { name: 'Graph' }).click()
      await expect(page.locator('canvas').first()).toBeVisible()
      await expect(page.getByRole('main')).toContainText(plainPart(text))
      await expectNothingRan(page)
    })
  }
})

test.describe('as the help of a metric', () => {
  for (const { text, number } of numbered) {
    test(`${number} ${JSON.stringify(text.slice(0, 40))}`, async ({ page }) => {
      await page.goto(`${stackUrls().query}/explorer?search=hostile_help_${number}`)
      await expect(page.getByRole('main')).toContainText(plainPart(text))
      await expectNothingRan(page)
    })
  }
})

test.describe('in an address', () => {
  for (const { text, number } of numbered) {
    test(`${number} ${JSON.stringify(text.slice(0, 40))}`, async ({ page, watch }) => {
      watch.allow(/status of 4\d\d/)
      const query = new URLSearchParams({ search: text, state: text, health: text, block: text, from: text })
      for (const name of ['expr', 'range_input', 'end_input', 'store_matches', 'legend', 'only']) {
        query.set(`g0.${name}`, text)
      }
      await page.goto(`${stackUrls().query}/graph?${query.toString()}`)
      await expect(page.getByRole('textbox', { name: 'Expression of panel 1' })).toContainText(plainPart(text))
      await expectNothingRan(page)
      for (const path of ['/stores', '/alerts', `/${encodeURIComponent(text)}`]) {
        await page.goto(`${stackUrls().query}${path}?${query.toString()}`)
        await expectNothingRan(page)
      }
      await page.goto(`${stackUrls().bucket}/blocks?${query.toString()}`)
      await expect(page.getByRole('main')).toBeVisible()
      await expectNothingRan(page)
    })
  }
})

test('in the names of rules and annotations of alerts', async ({ page }) => {
  await open(page, `${stackUrls().query}/rules`)
  await expect(page.getByText('group <img src=x onerror=window.hacked=1>').first()).toBeVisible()
  await expectNothingRan(page)
  await open(page, `${stackUrls().query}/alerts`)
  await expect(page.getByText(/is <b>up<\/b>/).first()).toBeVisible()
  await expectNothingRan(page)
})
