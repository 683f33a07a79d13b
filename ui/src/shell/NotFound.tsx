import { Anchor, List } from '@mantine/core'
import { Link } from 'react-router-dom'
import { Page } from '../parts/Page'
import type { PageEntry } from './pages'

export function NotFound({ pages }: { pages: readonly PageEntry[] }) {
  return (
    <Page title="There is no such page" about="This component has these pages:">
      <List>
        {pages.map(({ path, name }) => (
          <List.Item key={path}>
            <Anchor component={Link} to={path} underline="always">
              {name}
            </Anchor>
          </List.Item>
        ))}
      </List>
    </Page>
  )
}
