import { MantineProvider } from '@mantine/core'
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { lazy } from 'react'
import { MemoryRouter } from 'react-router-dom'
import { describe, expect, it, vi } from 'vitest'
import { useLocation } from 'react-router-dom'
import { App } from './App'
import { pagesOf, type PageEntry } from './pages'

const text = (shown: string) => lazy(() => Promise.resolve({ default: () => <h1>{shown}</h1> }))
const Where = () => {
  const { pathname, search } = useLocation()
  return <h1>{`at ${pathname}${search}`}</h1>
}

const PAGES: PageEntry[] = [
  { path: '/graph', name: 'Graph', content: lazy(() => Promise.resolve({ default: Where })) },
  { path: '/stores', name: 'Stores', content: text('the stores') },
  {
    path: '/broken',
    name: 'Broken',
    content: lazy(() => Promise.reject(new Error('<b>no such file</b>'))),
  },
]

function open(path: string) {
  render(
    <MantineProvider env="test">
      <MemoryRouter initialEntries={[path]} future={{ v7_startTransition: true, v7_relativeSplatPath: true }}>
        <App pages={PAGES} />
      </MemoryRouter>
    </MantineProvider>,
  )
}

describe('the frame', () => {
  it.each([
    ['/graph', 'at /graph'],
    ['/', 'at /graph'],
    ['/query?g0.expr=up', 'at /graph?g0.expr=up'],
    ['/stores', 'the stores'],
    ['/no/such/page', 'There is no such page'],
  ])('%s opens %s', async (path, heading) => {
    open(path)
    expect(await screen.findByRole('heading', { level: 1, name: heading })).toBeVisible()
  })

  it('marks the page that is open, and follows links', async () => {
    open('/graph')
    await userEvent.click(await screen.findByRole('link', { name: 'Stores' }))
    expect(await screen.findByText('the stores')).toBeVisible()
    expect(screen.getByRole('link', { name: 'Stores' })).toHaveAttribute('aria-current', 'page')
    expect(screen.getByRole('link', { name: 'Graph' })).not.toHaveAttribute('aria-current')
    expect(screen.getByRole('main')).toHaveFocus()
  })

  it('lets the keyboard skip the navigation', async () => {
    open('/stores')
    await userEvent.tab()
    expect(screen.getByText('Skip to the page')).toHaveFocus()
    await userEvent.keyboard('{Enter}')
    expect(screen.getByRole('main')).toHaveFocus()
  })

  it('says what to do when a page is not there any more', async () => {
    const silent = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    open('/broken')
    expect(await screen.findByRole('alert')).toHaveTextContent('<b>no such file</b>')
    expect(screen.getByRole('button', { name: 'Load again' })).toBeVisible()
    silent.mockRestore()
  })

  it('switches light and dark', async () => {
    open('/stores')
    await userEvent.click(await screen.findByRole('radio', { name: 'Dark' }))
    expect(document.documentElement).toHaveAttribute('data-mantine-color-scheme', 'dark')
    await userEvent.click(screen.getByRole('radio', { name: 'Auto' }))
    expect(document.documentElement).toHaveAttribute('data-mantine-color-scheme', 'light')
  })
})

describe('pages', () => {
  it.each(['query', 'store', 'compact', 'bucket', 'another'])(
    'of %s begin with one and are each there once',
    (component) => {
      const paths = pagesOf(component).map(({ path }) => path)
      expect(paths.length).toBeGreaterThan(1)
      expect(new Set(paths).size).toBe(paths.length)
      expect(paths.includes('/stores')).toBe(component === 'query')
    },
  )
})
