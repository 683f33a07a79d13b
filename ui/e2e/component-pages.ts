// The pages of each component.
import { stackUrls } from './stack.ts'

export interface ComponentPage {
  component: 'query' | 'store' | 'bucket'
  path: string
}

const paths: Record<ComponentPage['component'], string[]> = {
  query: [
    '/graph?g0.expr=demo_temperature_celsius&g0.tab=0',
    '/graph?g0.expr=demo_temperature_celsius&g0.tab=1',
    '/explorer',
    '/stores',
    '/targets',
    '/alerts',
    '/rules',
    '/tsdb-status',
    '/status',
    '/flags',
  ],
  store: ['/loaded', '/status', '/flags'],
  bucket: ['/blocks', '/status', '/flags'],
}

export const componentPages: ComponentPage[] = (Object.keys(paths) as ComponentPage['component'][]).flatMap(
  (component) => paths[component].map((path) => ({ component, path })),
)

export function urlOf(page: ComponentPage): string {
  return stackUrls()[page.component] + page.path
}
