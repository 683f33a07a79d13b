import { AppShell, Burger, Group, Loader, NavLink, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Suspense } from 'react'
import { NavLink as RouterLink, Route, Routes, useLocation } from 'react-router-dom'
import type { PageEntry } from './pages'

export function App({ pages }: { pages: readonly PageEntry[] }) {
  const [opened, { toggle, close }] = useDisclosure()
  const { pathname } = useLocation()
  return (
    <AppShell header={{ height: 48 }} navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: !opened } }} padding="md">
      <AppShell.Header>
        <Group h="100%" px="md">
          <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
          <Text fw={700}>Aevum</Text>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs">
        {pages.map(({ path, name }) => (
          <NavLink key={path} component={RouterLink} to={path} label={name} active={pathname === path} onClick={close} />
        ))}
      </AppShell.Navbar>
      <AppShell.Main>
        <Suspense fallback={<Loader aria-label="Loading the page" />}>
          <Routes>
            {pages.map(({ path, content: Content }) => (
              <Route key={path} path={path} element={<Content />} />
            ))}
            <Route path="*" element={<Title order={1} size="h2">There is no such page</Title>} />
          </Routes>
        </Suspense>
      </AppShell.Main>
    </AppShell>
  )
}
