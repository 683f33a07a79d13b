// Which stores the page shows, and on which axis.
import type { Store } from '../answers/stores'
import { isEmptyQuery, matches, parseQuery } from '../search/search'
import { windowAround, type Window } from '../timeline/axis'

export type Health = 'healthy' | 'failing'

export function healthOf(store: Store): Health {
  return store.lastError === null ? 'healthy' : 'failing'
}

export interface StoreFilter {
  readonly search: string
  readonly types: readonly string[] // empty: all
  readonly health: readonly string[] // empty: all
}

// A store is found when one of its label sets is, or its name, type or error.
export function filterStores(stores: readonly Store[], filter: StoreFilter): Store[] {
  const query = parseQuery(filter.search)
  return stores.filter((store) => {
    if (filter.types.length > 0 && !filter.types.includes(store.type)) return false
    if (filter.health.length > 0 && !filter.health.includes(healthOf(store))) return false
    if (isEmptyQuery(query)) return true
    const texts = [store.name, store.type, store.lastError ?? '']
    const sets = store.labelSets.length > 0 ? store.labelSets : [{}]
    return sets.some((labels) => matches(query, texts, labels))
  })
}

// The axis for all of the stores. A range without an end goes on until now.
export function axisOf(stores: readonly Store[], nowMs: number): Window {
  const ranges = stores
    .filter((store) => store.holdsData && store.minMs !== null)
    .map((store) => ({ minMs: store.minMs ?? nowMs, maxMs: Math.min(store.maxMs ?? nowMs, nowMs) }))
    .filter((range) => range.minMs <= range.maxMs)
  return windowAround(ranges) ?? { fromMs: nowMs - 86_400_000, toMs: nowMs }
}

export type StoreItem =
  | { readonly kind: 'type'; readonly type: string; readonly count: number; readonly failing: number }
  | { readonly kind: 'store'; readonly store: Store }

// Stores below the headings of their types; `stores` are sorted by type.
export function withHeadings(stores: readonly Store[]): StoreItem[] {
  const items: StoreItem[] = []
  for (let index = 0; index < stores.length; ++index) {
    const store = stores[index]!
    if (index === 0 || stores[index - 1]!.type !== store.type) {
      const members = stores.filter((other) => other.type === store.type)
      const failing = members.filter((other) => healthOf(other) === 'failing').length
      items.push({ kind: 'type', type: store.type, count: members.length, failing })
    }
    items.push({ kind: 'store', store })
  }
  return items
}
