import { Button, Group, Text, Title } from '@mantine/core'
import { useDeferredValue, useMemo, useState } from 'react'
import { parseStores, type Store } from '../answers/stores'
import { REFRESH_MS, useAnswer } from '../answers/useAnswer'
import { Badge } from '../parts/Badge'
import { Choices } from '../parts/Choices'
import { countBy } from '../parts/groupBy'
import { formatInstant } from '../parts/format'
import { Instant } from '../parts/Instant'
import { LabelSet } from '../parts/LabelSet'
import { Answered, Empty, Filters, Page, Shown } from '../parts/Page'
import { SearchField } from '../parts/SearchField'
import { useUrlList, useUrlState } from '../parts/urlState'
import { VirtualList } from '../parts/VirtualList'
import type { Window } from '../timeline/axis'
import { RangeBar, TimeAxis } from '../timeline/TimeAxis'
import { axisOf, filterStores, healthOf, withHeadings, type StoreItem } from './filter'
import './stores.css'

export default function StoresPage() {
  const query = useAnswer('api/v1/stores', {}, parseStores, { refreshMs: REFRESH_MS })
  return (
    <Page title="Stores" about="The endpoints that this querier asks, and the time that each has data of.">
      <Answered query={query} what="the stores">
        {(stores) => (stores.length === 0 ? <NoStores /> : <Stores stores={stores} nowMs={query.dataUpdatedAt} />)}
      </Answered>
    </Page>
  )
}

function NoStores() {
  return (
    <Empty title="This querier knows no stores.">
      Name sidecars, store gateways and other queriers by <code>--endpoint=host:10901</code>, once for each, or in a
      file by <code>--endpoint.sd-config-file</code>. An endpoint appears here as soon as it was reached once.
    </Empty>
  )
}

function Stores({ stores, nowMs }: { stores: readonly Store[]; nowMs: number }) {
  const url = useUrlState()
  const search = url.text('search')
  const types = useUrlList(url, 'type')
  const health = useUrlList(url, 'health')
  const found = useDeferredValue(
    useMemo(() => filterStores(stores, { search, types, health }), [stores, search, types, health]),
  )
  const items = useMemo(() => withHeadings(found), [found])
  const axis = useMemo(() => axisOf(stores, nowMs), [stores, nowMs])
  const typeCounts = useMemo(() => countBy(stores, (store) => store.type), [stores])
  const healthCounts = useMemo(() => countBy(stores, healthOf), [stores])
  return (
    <>
      <Filters>
        <SearchField
          label="Search stores"
          placeholder='address, error or cluster="eu1"'
          value={search}
          onChange={(text) => {
            url.set({ search: text })
          }}
        />
        <Choices
          label="Type"
          choices={[...typeCounts].map(([type, count]) => ({ value: type, label: type, count }))}
          chosen={types}
          onChange={(chosen) => {
            url.set({ type: chosen })
          }}
        />
        <Choices
          label="Health"
          choices={(['healthy', 'failing'] as const).map((value) => ({
            value,
            label: value,
            count: healthCounts.get(value) ?? 0,
          }))}
          chosen={health}
          onChange={(chosen) => {
            url.set({ health: chosen })
          }}
        />
      </Filters>
      <Shown shown={found.length} all={stores.length} what="stores" />
      {found.length === 0 ? (
        <Empty title="No store matches.">
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              url.set({ search: null, type: null, health: null })
            }}
          >
            Clear the filters
          </Button>
        </Empty>
      ) : (
        <div>
          <div className="av-store" data-axis>
            <Text size="sm" className="av-quiet" visibleFrom="sm">
              Endpoint
            </Text>
            <Text size="sm" className="av-quiet" visibleFrom="sm">
              Labels
            </Text>
            <TimeAxis window={axis} most={4} />
          </div>
          <VirtualList
            items={items}
            label="Stores"
            keyOf={(item) => (item.kind === 'type' ? item.type : `${item.store.type} ${item.store.name}`)}
            rowHeight={84}
            grows
            height="max(320px, calc(100dvh - 380px))"
            render={(item) => (
              <StoreRow
                item={item}
                axis={axis}
                nowMs={nowMs}
                onPick={(condition) => {
                  url.set({ search: condition })
                }}
              />
            )}
          />
        </div>
      )}
    </>
  )
}

interface StoreRowProps {
  item: StoreItem
  axis: Window
  nowMs: number
  onPick: (condition: string) => void
}

function StoreRow({ item, axis, nowMs, onPick }: StoreRowProps) {
  if (item.kind === 'type') {
    return (
      <Group gap="xs" pt="sm">
        <Title order={2} size="h4">
          {item.type}
        </Title>
        <Text size="sm" className="av-quiet">
          {item.count}
        </Text>
        {item.failing > 0 && <Badge tone="bad">{item.failing} failing</Badge>}
      </Group>
    )
  }
  const { store } = item
  const range = rangeText(store)
  return (
    <div className="av-store">
      <div>
        <Group gap="xs">
          <Text fw={600} className="av-break" component="span">
            {store.name}
          </Text>
          {store.lastError === null ? <Badge tone="good">healthy</Badge> : <Badge tone="bad">failing</Badge>}
        </Group>
        <Text size="sm" className="av-quiet">
          asked <Instant ms={store.lastCheckMs} nowMs={nowMs} />
        </Text>
        {store.lastError !== null && (
          <Text size="sm" className="av-break">
            {store.lastError}
          </Text>
        )}
      </div>
      <LabelSets store={store} onPick={onPick} />
      <div>
        {store.holdsData ? (
          <>
            <RangeBar window={axis} minMs={store.minMs} maxMs={store.maxMs} label={range} />
            <Text size="xs" className="av-quiet">
              {range}
            </Text>
          </>
        ) : (
          <Text size="sm" className="av-quiet">
            holds no data
          </Text>
        )}
      </div>
    </div>
  )
}

function rangeText(store: Store): string {
  const from = store.minMs === null ? 'the beginning' : formatInstant(store.minMs)
  const to = store.maxMs === null ? 'now' : formatInstant(store.maxMs)
  return `${from} to ${to}`
}

// Store gateways have as many label sets as their bucket has sources.
const FIRST_SETS = 4

function LabelSets({ store, onPick }: { store: Store; onPick: (condition: string) => void }) {
  const [all, setAll] = useState(false)
  const sets = all ? store.labelSets : store.labelSets.slice(0, FIRST_SETS)
  const more = store.labelSets.length - FIRST_SETS
  if (store.labelSets.length === 0) return <span className="av-quiet">no labels</span>
  return (
    <div style={{ display: 'grid', gap: 4, alignContent: 'start' }}>
      {sets.map((labels, index) => (
        <LabelSet key={index} labels={labels} onPick={onPick} />
      ))}
      {more > 0 && (
        <div>
          <Button
            size="compact-xs"
            variant="default"
            aria-expanded={all}
            onClick={() => {
              setAll(!all)
            }}
          >
            {all ? 'Show fewer' : `Show ${more.toLocaleString('en-US')} more`}
          </Button>
        </div>
      )}
    </div>
  )
}
