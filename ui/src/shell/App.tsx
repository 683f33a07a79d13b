// The frame around every page: navigation, theme, and what to do when a page can't be shown.
import { AppShell, Burger, Group, Loader, NavLink, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Suspense, useEffect, useRef } from 'react'
import { Navigate, NavLink as RouterLink, Route, Routes, useLocation } from 'react-router-dom'
import { Faulty } from './Faulty'
import type { PageEntry } from './pages'
import { NotFound } from './NotFound'
import { SchemeSwitch } from './SchemeSwitch'
import './shell.css'

// Addresses of older user interfaces.
const MOVED: Readonly<Record<string, string>> = { '/query': '/graph', '/global': '/blocks' }

export function App({ pages }: { pages: readonly PageEntry[] }) {
  const [opened, { toggle, close }] = useDisclosure()
  const { pathname, search } = useLocation()
  const main = useRef<HTMLElement>(null)
  useFocusOnNewPage(main, pathname)
  const first = pages[0]?.path ?? '/'
  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 180, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={{ base: 'xs', sm: 'md' }}
    >
      <a
        className="av-skip"
        href="#main"
        onClick={(event) => {
          // The fragment would be resolved against <base>.
          event.preventDefault()
          main.current?.focus()
        }}
      >
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm">
          <Burger
            opened={opened}
            onClick={toggle}
            hiddenFrom="sm"
            size="sm"
            aria-label="Navigation"
            aria-expanded={opened}
          />
          <Text fw={700}>Aevum</Text>
          <Text size="sm" className="av-quiet" ml="auto" hiddenFrom="sm">
            {pages.find(({ path }) => path === pathname)?.name}
          </Text>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        <div className="av-nav">
          {pages.map(({ path, name }) => (
            <NavLink
              key={path}
              component={RouterLink}
              to={path}
              label={name}
              active={pathname === path}
              onClick={close}
            />
          ))}
        </div>
        <SchemeSwitch />
      </AppShell.Navbar>
      <AppShell.Main ref={main} id="main" tabIndex={-1} className="av-main">
        <Faulty key={pathname}>
          <Suspense fallback={<Loader aria-label="Loading the page" />}>
            <Routes>
              {pages.map(({ path, content: Content }) => (
                <Route key={path} path={path} element={<Content />} />
              ))}
              <Route path="/" element={<Navigate replace to={{ pathname: first, search }} />} />
              {Object.entries(MOVED).map(([from, to]) => (
                <Route key={from} path={from} element={<Navigate replace to={{ pathname: to, search }} />} />
              ))}
              <Route path="*" element={<NotFound pages={pages} />} />
            </Routes>
          </Suspense>
        </Faulty>
      </AppShell.Main>
    </AppShell>
  )
}

// After a link was followed, readers of screens go on in the new page, not behind the link.
function useFocusOnNewPage(main: React.RefObject<HTMLElement>, pathname: string) {
  const before = useRef(pathname)
  useEffect(() => {
    if (before.current === pathname) return
    before.current = pathname
    main.current?.focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }, [main, pathname])
}
