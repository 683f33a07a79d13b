// Texts of others show as text: labels, help, addresses.
import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { expect, open, test } from './fixtures.ts'
import { stackUrls } from './stack.ts'

const texts = JSON.parse(readFileSync(new URL('testdata/hostile.json', import.meta.url), 'utf8')) as string[]

// Blanks in a row are one on a page.
const shown = (text: string) => text.replace(/\s+/g, ' ').trim()

async function expectNothingRan(page: Page): Promise<void> {
  expect(await page.evaluate(() => (window as { hacked?: unknown }).hacked)).toBeUndefined()
  await expect(page.locator('iframe, a[href^="javascript:" i]')).toHaveCount(0)
}

// The text of a page without blanks and what stands for control characters.
async function bodyText(page: Page): Promise<string> {
  return shown(await page.locator('body').innerText())
}

texts.forEach((text, number) => {
  const name = `${String(number).padStart(2, '0')} ${JSON.stringify(text.slice(0, 40))}`
  const part = shown(
    text.split(/["\\\n\t\u2028\ufeff\u200b\u202e\u202c]/).sort((a, b) => b.length - a.length)[0] ?? '',
  ).slice(0, 60)

  test(`as the value of a label: ${name}`, async ({ page }) => {
    const query = new URLSearchParams({
      'g0.expr': `hostile_label{case="${String(number).padStart(2, '0')}"}`,
      'g0.tab': '1',
    })
    await open(page, `${stackUrls().query}/graph?${query}`)
    await expect.poll(() => bodyText(page)).toContain(part)
    await expectNothingRan(page)
  })

  test(`as the help of a metric: ${name}`, async ({ page }) => {
    const metric = `hostile_help_${String(number).padStart(2, '0')}`
    await open(page, `${stackUrls().query}/explorer`)
    await page.getByRole('textbox').first().fill(metric)
    await expect.poll(() => bodyText(page)).toContain(part)
    await expectNothingRan(page)
  })

  test(`in an address: ${name}`, async ({ page, watch }) => {
    watch.allow(/status of 4\d\d/)
    const query = new URLSearchParams({
      'g0.expr': text,
      'g0.tab': '1',
      'g0.range_input': text,
      search: text,
      state: text,
    })
    await open(page, `${stackUrls().query}/graph?${query}`)
    await expect.poll(async () => shown(await page.locator('.cm-content').first().innerText())).toContain(part)
    await expectNothingRan(page)
    for (const path of ['/stores', '/alerts', '/flags']) {
      await open(page, `${stackUrls().query}${path}?${query}`)
      await expectNothingRan(page)
    }
  })
})

test('rules and alerts of others', async ({ page }) => {
  for (const path of ['/rules', '/alerts']) {
    await open(page, stackUrls().query + path)
    await expectNothingRan(page)
  }
  await open(page, `${stackUrls().query}/rules`)
  await expect(page.getByText('group <img src=x onerror=window.hacked=1>').first()).toBeVisible()
})
