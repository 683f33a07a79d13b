// Not a test: pictures of each page, in light and dark.
//
//   npx playwright test --project=screenshots                           into build/web/screenshots
//   AEVUM_README_IMAGES=1 npx playwright test --project=screenshots     and those of the README into docs/images
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import { componentPages, urlOf } from './component-pages.ts'
import { open, test } from './fixtures.ts'
import { stackUrls } from './stack.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = `${root}/build/web/screenshots`

async function shoot(page: Page, url: string, path: string): Promise<void> {
  await open(page, url)
  // What slides or fades in has come.
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))),
  )
  await page.screenshot({ path })
}

for (const one of componentPages) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`${one.component} ${one.path} in ${colorScheme}`, async ({ page }) => {
      mkdirSync(folder, { recursive: true })
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const name = `${one.component}${one.path}`.replace(/[^a-z0-9]+/gi, '-')
      await shoot(page, urlOf(one), `${folder}/${name}-${colorScheme}.png`)
    })
  }
}

// Over the data of the bucket: two hours that do not move.
const history = new URLSearchParams({
  'g0.expr': 'sum by (cluster, code) (rate(http_requests_total[5m]))',
  'g0.tab': '0',
  'g0.range_input': '2h',
  'g0.end_input': '2026-06-02 14:00:00',
  'g0.moment_input': '2026-06-02 14:00:00',
})

test.describe('for the README', () => {
  test.skip(!process.env['AEVUM_README_IMAGES'], 'only when asked')
  test.use({ viewport: { width: 1100, height: 900 } })

  const images = [
    { name: 'graph', colorScheme: 'light', url: () => `${stackUrls().query}/graph?${history}` },
    { name: 'stores', colorScheme: 'light', url: () => `${stackUrls().query}/stores` },
    { name: 'blocks', colorScheme: 'light', url: () => `${stackUrls().bucket}/blocks` },
    { name: 'dark', colorScheme: 'dark', url: () => `${stackUrls().query}/graph?${history}` },
  ] as const
  for (const image of images) {
    test(image.name, async ({ page }) => {
      mkdirSync(`${root}/docs/images`, { recursive: true })
      await page.emulateMedia({ colorScheme: image.colorScheme, reducedMotion: 'reduce' })
      await shoot(page, image.url(), `${root}/docs/images/${image.name}.png`)
    })
  }
})
