import BlocksPage from './BlocksPage'

// The blocks that a component works with.
export default function LoadedPage() {
  return <BlocksPage view="loaded" />
}
