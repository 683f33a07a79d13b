// What every test of a page watches for: errors, requests to elsewhere, dialogs.
import { expect, test as base, type Page } from '@playwright/test'
import { stackUrls } from './stack.ts'

export { expect } from '@playwright/test'

export class Watch {
  readonly problems: string[] = []
  private readonly allowed: RegExp[] = []
  private readonly origins = new Set(
    Object.values<string>({ ...stackUrls() })
      .filter((value) => value.startsWith('http:'))
      .map((url) => new URL(url).origin),
  )

  constructor(page: Page) {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.problems.push(`console: ${message.text()}`)
    })
    page.on('pageerror', (error) => this.problems.push(`error: ${error.message}`))
    page.on('dialog', (dialog) => {
      this.problems.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('request', (request) => {
      const url = request.url()
      if (!/^(data|blob|about):/.test(url) && !this.origins.has(new URL(url).origin))
        this.problems.push(`request: ${url}`)
    })
  }

  // A problem that the test brings about.
  allow(problem: RegExp): void {
    this.allowed.push(problem)
  }

  // Another address of the installation.
  allowOrigin(origin: string): void {
    this.origins.add(origin)
  }

  unexpected(): string[] {
    return this.problems.filter((problem) => !this.allowed.some((pattern) => pattern.test(problem)))
  }
}

export const test = base.extend<{ watch: Watch }>({
  watch: [
    async ({ page }, use) => {
      const watch = new Watch(page)
      await use(watch)
      expect(watch.unexpected(), 'errors, dialogs and requests to elsewhere').toEqual([])
    },
    { auto: true },
  ],
})

// Opens a page and waits until it has its heading and no request is under way.
export async function open(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await expect(page.getByRole('main')).toBeVisible()
  await page.waitForLoadState('networkidle')
}
