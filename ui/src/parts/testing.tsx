// Pages in tests: with answers of an API that is not there, and the URL in view.
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render, type RenderResult } from '@testing-library/react'
import type { ReactElement } from 'react'
import { MemoryRouter, useLocation } from 'react-router-dom'
import { vi } from 'vitest'

// Nothing has a size in jsdom, and lists make only what is seen: their areas are high, their rows low.
for (const name of ['offsetHeight', 'clientHeight']) {
  Object.defineProperty(HTMLElement.prototype, name, {
    configurable: true,
    get(this: HTMLElement) {
      return this.classList.contains('av-virtual') ? 1200 : 40
    },
  })
}
for (const name of ['offsetWidth', 'clientWidth']) {
  Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => 800 })
}

// Nothing can be drawn there either.
HTMLCanvasElement.prototype.getContext = () => null

// What a path of the API answers: its `data`, or a whole response.
export type FakeAnswers = Readonly<Record<string, unknown>>

export interface RenderedPage extends RenderResult {
  search(): URLSearchParams
  requests: URL[]
  posts: { path: string; params: URLSearchParams }[]
}

// Renders a page at "/page?..."; `answers` are found by path, without prefix and parameters.
export function renderPage(page: ReactElement, answers: FakeAnswers, search = ''): RenderedPage {
  const requests: URL[] = []
  const posts: RenderedPage['posts'] = []
  vi.stubGlobal('fetch', (input: URL, init?: RequestInit) => {
    const url = new URL(input)
    requests.push(url)
    if (init?.method === 'POST') {
      posts.push({ path: url.pathname, params: new URLSearchParams(init.body as URLSearchParams) })
    }
    const answer = answers[url.pathname.slice(1)]
    if (answer === undefined) return Promise.resolve(new Response('404 page not found', { status: 404 }))
    if (typeof answer === 'function') {
      return Promise.resolve((answer as (asked: URL) => Response)(url))
    }
    return Promise.resolve(success(answer))
  })
  let shown = ''
  const Location = () => {
    shown = useLocation().search
    return null
  }
  const client = new QueryClient()
  const result = render(
    <MantineProvider env="test">
      <QueryClientProvider client={client}>
        <MemoryRouter
          initialEntries={[`/page${search}`]}
          future={{ v7_startTransition: true, v7_relativeSplatPath: true }}
        >
          {page}
          <Location />
        </MemoryRouter>
      </QueryClientProvider>
    </MantineProvider>,
  )
  return Object.assign(result, { search: () => new URLSearchParams(shown), requests, posts })
}

export function success(data: unknown, warnings?: string[]): Response {
  return Response.json({ status: 'success', data, ...(warnings && { warnings }) })
}

export function failure(status: number, error: string): Response {
  return Response.json({ status: 'error', errorType: 'internal', error }, { status })
}

// What labels, help texts and errors may hold when somebody means harm.
export const HOSTILE: readonly string[] = [
  '<script>document.title="owned"</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg/onload=alert(1)>',
  'javascript:alert(1)',
  '{{constructor.constructor("alert(1)")()}}',
  '<a href="javascript:alert(1)">x</a>',
  '&lt;b&gt;&amp;&#x41;',
  '\u202Egnp.exe',
  '</title></style></textarea><h1>x',
  "' OR 1=1 --",
]

// Addresses that must never become links.
export const HOSTILE_URLS: readonly string[] = [
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  ' javascript:alert(1)',
  'java\nscript:alert(1)',
  '\u0001javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:msgbox(1)',
  'file:///etc/passwd',
  'blob:https://h/1',
  '//evil.example/x',
  'https:evil.example',
  'http:\\\\evil.example',
  'https://user:password@evil.example/',
  'ftp://evil.example/',
  'https://a b/',
  'h ttp://x',
  '',
]

// That a hostile text is there to be read, and made nothing of.
export function expectOnlyText(text: string): void {
  const { body } = document
  if (!(body.textContent ?? '').includes(text)) throw new Error(`not shown: ${text}`)
  const made = body.querySelector('script, img, [onerror], [onload], a[href^="javascript" i], a[href^="data" i]')
  if (made) throw new Error(`became an element: ${made.outerHTML}`)
}
