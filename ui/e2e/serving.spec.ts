// How the pages come to the browser: addresses, headers, sizes, times.
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from '@playwright/test'
import { expect, open, test } from './fixtures.ts'
import { stackUrls } from './stack.ts'

const firstPaintBudget = 600_000 // bytes, compressed

test('/ leads to the first page of each component', async ({ page }) => {
  const firstPages = { query: '/graph', store: '/loaded', bucket: '/blocks' } as const
  for (const [component, path] of Object.entries(firstPages)) {
    await open(page, stackUrls()[component as keyof typeof firstPages])
    expect(new URL(page.url()).pathname).toBe(path)
  }
})

for (const old of ['/graph', '/query', '/new/graph', '/classic/graph']) {
  test(`an old link to ${old} opens what it meant`, async ({ page }) => {
    const expression = 'sum by (code) (rate(demo_requests_total{handler="/api"}[15s]))'
    const query = new URLSearchParams({
      'g0.expr': expression,
      'g0.tab': '0',
      'g0.range_input': '5m',
      'g0.deduplicate': '0',
      'g1.expr': 'up',
      'g1.tab': '1',
    })
    await open(page, `${stackUrls().query}${old}?${query}`)
    expect(new URL(page.url()).pathname).toBe('/graph')
    await expect(page.getByRole('textbox', { name: 'Expression of panel 1' })).toHaveText(expression)
    await expect(page.getByRole('textbox', { name: 'Expression of panel 2' })).toHaveText('up')
    await expect(page.getByRole('switch', { name: 'Deduplication' }).first()).not.toBeChecked()
  })
}

test('the headers keep strangers out', async ({ page }) => {
  const answer = await page.goto(`${stackUrls().query}/graph`)
  const policy = (await answer?.headerValue('content-security-policy')) ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  expect(await answer?.headerValue('x-content-type-options')).toBe('nosniff')
  const again = await page.reload()
  expect(await again?.headerValue('content-security-policy')).not.toBe(policy)
})

test('the licences of what is bundled are there', async () => {
  const answer = await fetch(`${stackUrls().query}/licenses.txt`)
  expect(answer.ok).toBe(true)
  expect(await answer.text()).toContain('react ')
})

test('the first paint is within a second, and within 600 kB', async ({ browser }) => {
  // The best of five: another program may have had the processor meanwhile.
  const times: number[] = []
  let bytes = 0
  for (let round = 0; round < 5; ++round) {
    const context = await browser.newContext() // with an empty cache
    const page = await context.newPage()
    await page.goto(`${stackUrls().query}/graph`)
    await expect(page.getByRole('main')).toBeVisible()
    const paint = await page.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.POSITIVE_INFINITY,
    )
    times.push(paint)
    bytes = await page.evaluate((until) => {
      const files = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
      const own = files.filter((file) => file.name.includes('/assets/') && file.startTime < until)
      const html = performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming
      return own.reduce((sum, file) => sum + file.encodedBodySize, html.encodedBodySize)
    }, paint)
    expect(bytes).toBeGreaterThan(10_000)
    expect(bytes).toBeLessThanOrEqual(firstPaintBudget)
    await context.close()
  }
  test
    .info()
    .annotations.push({ type: 'first paint', description: `${times.map(Math.round).join(', ')} ms, ${bytes} bytes` })
  expect(Math.min(...times)).toBeLessThan(1000)
})

// Takes a prefix away, as reverse proxies do, and says so in a header.
async function proxyUnder(prefix: string, target: string): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    if (!incoming.url?.startsWith(`${prefix}/`)) {
      outgoing.writeHead(404).end()
      return
    }
    const headers = { ...incoming.headers, 'x-forwarded-prefix': prefix }
    const options = { method: incoming.method, headers }
    const forward = request(target + incoming.url.slice(prefix.length), options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    forward.on('error', () => outgoing.destroy())
    incoming.pipe(forward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

async function useUnder(page: Page, base: string): Promise<void> {
  await open(page, `${base}/graph?g0.expr=count(up)&g0.tab=1`)
  await expect(page.getByRole('region', { name: 'Result' })).toContainText('3')
  await page.getByRole('navigation').getByRole('link', { name: 'Stores' }).first().click()
  await expect(page).toHaveURL(`${base}/stores`)
  await expect(page.getByText('us1').first()).toBeVisible()
  await page.reload()
  await expect(page.getByText('us1').first()).toBeVisible()
}

test('works behind a proxy that shows it under a prefix', async ({ page, watch }) => {
  const proxy = await proxyUnder('/deep/thanos', stackUrls().query)
  const origin = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  watch.allowOrigin(origin)
  try {
    await useUnder(page, `${origin}/deep/thanos`)
  } finally {
    proxy.closeAllConnections()
    proxy.close()
  }
})

test('works under a prefix of its own', async ({ page }) => {
  await useUnder(page, stackUrls().prefixed)
})
