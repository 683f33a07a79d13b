// Every page opens, is accessible, fits a telephone, and loads nothing from elsewhere.
import { accessibilityFaults } from './accessibility.ts'
import { componentPages, urlOf } from './component-pages.ts'
import { expect, open, test } from './fixtures.ts'

for (const one of componentPages) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`${one.component} ${one.path} in ${colorScheme}: no accessibility fault`, async ({ page }) => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await open(page, urlOf(one))
      await expect(page.getByRole('heading').first()).toBeAttached()
      expect(await accessibilityFaults(page)).toEqual([])
    })
  }

  test(`${one.component} ${one.path} at 390 pixels: nothing is beside the screen`, async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 })
    await open(page, urlOf(one))
    const width = await page.evaluate(() => document.scrollingElement?.scrollWidth)
    expect(width).toBeLessThanOrEqual(390)
  })
}

test('the navigation leads to every page of the querier by keyboard', async ({ page }) => {
  await open(page, urlOf({ component: 'query', path: '/graph' }))
  const links = page.getByRole('navigation').getByRole('link')
  const names = await links.allInnerTexts()
  expect(names.length).toBeGreaterThanOrEqual(8)
  for (const name of names) {
    await page.getByRole('navigation').getByRole('link', { name, exact: true }).first().focus()
    await page.keyboard.press('Enter')
    await expect(page.getByRole('navigation').getByRole('link', { name, exact: true }).first()).toHaveAttribute(
      'aria-current',
      'page',
    )
    await expect(page.getByRole('main')).toBeVisible()
  }
})
