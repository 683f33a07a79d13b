import { defineConfig, devices } from '@playwright/test'

// Debian's Chromium; AEVUM_CHROMIUM names another one.
const executablePath = process.env['AEVUM_CHROMIUM'] ?? '/usr/bin/chromium'
// Chromium's sandbox does not work for root, as whom CI runs.
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []

export default defineConfig({
  testDir: './e2e',
  globalSetup: './e2e/start-stack.ts',
  // One installation for all tests, some of which end parts of it.
  workers: 1,
  fullyParallel: false,
  forbidOnly: !!process.env['CI'],
  retries: process.env['CI'] ? 1 : 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: process.env['AEVUM_PLAYWRIGHT_REPORT']
    ? [['line'], ['json', { outputFile: process.env['AEVUM_PLAYWRIGHT_REPORT'] }]]
    : [['list']],
  outputDir: '../build/web/playwright',
  use: {
    viewport: { width: 1280, height: 800 },
    timezoneId: 'UTC',
    locale: 'en-US',
    trace: 'retain-on-failure',
    launchOptions: { executablePath, args },
  },
  projects: [
    {
      name: 'chromium',
      testIgnore: /screenshots/,
      use: { ...devices['Desktop Chrome'], viewport: { width: 1280, height: 800 } },
    },
    {
      name: 'screenshots',
      testMatch: /screenshots/,
      use: { ...devices['Desktop Chrome'], viewport: { width: 1280, height: 800 } },
    },
  ],
})
