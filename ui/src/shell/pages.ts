// The pages of each component, in the order of the navigation. src/web/pages.cc serves them.
import { lazy, type ComponentType, type LazyExoticComponent } from 'react'

export interface PageEntry {
  readonly path: string
  readonly name: string
  readonly content: LazyExoticComponent<ComponentType>
}

const entry = (path: string, name: string, load: () => Promise<{ default: ComponentType }>): PageEntry => ({
  path,
  name,
  content: lazy(load),
})

const ownPages = [
  entry('/status', 'Status', () => import('../status/StatusPage')),
  entry('/flags', 'Flags', () => import('../flags/FlagsPage')),
]

const blocks = entry('/blocks', 'Blocks', () => import('../blocks/BlocksPage'))
const loaded = entry('/loaded', 'Loaded blocks', () => import('../blocks/LoadedPage'))

export function pagesOf(component: string): readonly PageEntry[] {
  if (component === 'store') return [loaded, ...ownPages]
  if (component === 'compact') return [blocks, loaded, ...ownPages]
  if (component !== 'query') return [blocks, ...ownPages]
  return [
    entry('/graph', 'Graph', () => import('../graph/GraphPage')),
    entry('/explorer', 'Explorer', () => import('../explorer/ExplorerPage')),
    entry('/stores', 'Stores', () => import('../stores/StoresPage')),
    entry('/targets', 'Targets', () => import('../targets/TargetsPage')),
    entry('/alerts', 'Alerts', () => import('../alerts/AlertsPage')),
    entry('/rules', 'Rules', () => import('../rules/RulesPage')),
    entry('/tsdb-status', 'Cardinality', () => import('../tsdb-status/TsdbStatusPage')),
    ...ownPages,
  ]
}
