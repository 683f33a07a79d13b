import { Anchor, Button, Group, Text } from '@mantine/core'
import { useDeferredValue, useMemo, useState } from 'react'
import { Link } from 'react-router-dom'
import { parseTargets, type Target, type TargetHealth, type Targets } from '../answers/targets'
import { REFRESH_MS, useAnswer } from '../answers/useAnswer'
import type { Labels } from '../answers/values'
import { Badge, type Tone } from '../parts/Badge'
import { Choices } from '../parts/Choices'
import { formatSeconds, plural } from '../parts/format'
import { countBy } from '../parts/groupBy'
import { GroupedList } from '../parts/GroupedList'
import { GroupingField, labelNames } from '../parts/GroupingField'
import { Instant } from '../parts/Instant'
import { LabelSet } from '../parts/LabelSet'
import { Answered, Empty, Filters, Page, Shown } from '../parts/Page'
import { graphLink, selector } from '../parts/promql'
import { SafeLink } from '../parts/SafeLink'
import { SearchField } from '../parts/SearchField'
import { useUrlList, useUrlState } from '../parts/urlState'
import { VirtualList } from '../parts/VirtualList'
import { isEmptyQuery, matches, parseQuery } from '../search/search'
import { filterTargets, groupTargets } from './groups'

const TONES: Record<TargetHealth, Tone> = { up: 'good', down: 'bad', unknown: 'quiet' }

export default function TargetsPage() {
  const query = useAnswer('api/v1/targets', {}, parseTargets, { refreshMs: REFRESH_MS })
  return (
    <Page title="Targets" about="What the Prometheus servers behind this querier scrape; replicas are shown once.">
      <Answered query={query} what="the targets">
        {(targets) =>
          targets.active.length + targets.dropped.length === 0 ? (
            <Empty title="No endpoint tells of targets.">
              Sidecars do, when they are reached and the Prometheus beside them scrapes something. Look at{' '}
              <Anchor component={Link} to="/stores" underline="always" inherit>
                the stores
              </Anchor>{' '}
              for one that fails.
            </Empty>
          ) : (
            <TargetViews targets={targets} nowMs={query.dataUpdatedAt} />
          )
        }
      </Answered>
    </Page>
  )
}

function TargetViews({ targets, nowMs }: { targets: Targets; nowMs: number }) {
  const url = useUrlState()
  const search = url.text('search')
  const dropped = url.text('view') === 'dropped'
  const health = useUrlList(url, 'health')
  const by = url.text('by')
  const counts = useMemo(() => countBy(targets.active, (target) => target.health), [targets])
  const names = useMemo(() => labelNames(targets.active), [targets])
  return (
    <>
      <Filters>
        <SearchField
          label="Search targets"
          placeholder='URL, error or job="node"'
          value={search}
          onChange={(text) => {
            url.set({ search: text })
          }}
        />
        {!dropped && (
          <>
            <Choices
              label="Health"
              choices={(['up', 'down', 'unknown'] as const).map((value) => ({
                value,
                label: value,
                count: counts.get(value) ?? 0,
              }))}
              chosen={health}
              onChange={(chosen) => {
                url.set({ health: chosen })
              }}
            />
            <GroupingField
              kinds={['pool', 'health']}
              labels={names}
              value={by}
              onChange={(value) => {
                url.set({ by: value })
              }}
            />
          </>
        )}
        <Button
          variant="default"
          onClick={() => {
            url.set({ view: dropped ? null : 'dropped' })
          }}
        >
          {dropped ? 'Show the active ones' : `Show ${plural(targets.dropped.length, 'dropped target')}`}
        </Button>
      </Filters>
      {dropped ? (
        <DroppedTargets dropped={targets.dropped} search={search} />
      ) : (
        <ActiveTargets
          targets={targets.active}
          search={search}
          health={health}
          by={by}
          nowMs={nowMs}
          onPick={(condition) => {
            url.set({ search: condition })
          }}
        />
      )}
    </>
  )
}

interface ActiveTargetsProps {
  targets: readonly Target[]
  search: string
  health: readonly string[]
  by: string
  nowMs: number
  onPick: (condition: string) => void
}

const keyOfTarget = (target: Target) => `${target.url} ${JSON.stringify(target.labels)}`

function ActiveTargets({ targets, search, health, by, nowMs, onPick }: ActiveTargetsProps) {
  const found = useDeferredValue(useMemo(() => filterTargets(targets, { search, health }), [targets, search, health]))
  const groups = useMemo(
    () =>
      groupTargets(found, by).map((group) => ({
        key: group.key,
        title: group.key === '' ? '(none)' : group.key,
        note: group.down > 0 ? <Badge tone="bad">{group.down} down</Badge> : undefined,
        items: group.targets,
      })),
    [found, by],
  )
  return (
    <>
      <Shown shown={found.length} all={targets.length} what="targets" />
      {found.length === 0 ? (
        <Empty title="No target matches.">Change the search or the filter of health.</Empty>
      ) : (
        <GroupedList
          groups={groups}
          label="Targets"
          keyOf={keyOfTarget}
          rowHeight={110}
          render={(target) => <TargetRow target={target} nowMs={nowMs} onPick={onPick} />}
        />
      )}
    </>
  )
}

interface TargetRowProps {
  target: Target
  nowMs: number
  onPick: (condition: string) => void
}

function TargetRow({ target, nowMs, onPick }: TargetRowProps) {
  const [discovered, setDiscovered] = useState(false)
  return (
    <div className="av-card" style={{ marginBottom: 6 }} data-tone={target.health === 'down' ? 'bad' : undefined}>
      <Group gap="xs" mb={4}>
        <Badge tone={TONES[target.health]}>{target.health}</Badge>
        <SafeLink url={target.url} />
        <Text size="sm" className="av-quiet">
          scraped <Instant ms={target.lastScrapeMs} nowMs={nowMs} />, took {formatSeconds(target.lastScrapeSeconds)}
        </Text>
      </Group>
      {target.lastError !== '' && (
        <Text size="sm" mb={4} className="av-break">
          {target.lastError}
        </Text>
      )}
      <LabelSet labels={target.labels} onPick={onPick} />
      <Group gap="md" mt={6}>
        <Anchor component={Link} to={graphLink(selector('up', target.labels))} size="sm" underline="always">
          Graph of up
        </Anchor>
        <Button
          size="compact-xs"
          variant="default"
          aria-expanded={discovered}
          onClick={() => {
            setDiscovered(!discovered)
          }}
        >
          {discovered ? 'Hide discovered labels' : 'Discovered labels'}
        </Button>
      </Group>
      {discovered && (
        <div style={{ marginTop: 6 }}>
          <LabelSet labels={target.discoveredLabels} />
        </div>
      )}
    </div>
  )
}

function DroppedTargets({ dropped, search }: { dropped: readonly Labels[]; search: string }) {
  const found = useMemo(() => {
    const query = parseQuery(search)
    return isEmptyQuery(query) ? dropped : dropped.filter((labels) => matches(query, [], labels))
  }, [dropped, search])
  if (dropped.length === 0) {
    return (
      <Empty title="No target was dropped.">
        A target is dropped when relabelling leaves it out; its discovered labels would be here.
      </Empty>
    )
  }
  return (
    <>
      <Shown shown={found.length} all={dropped.length} what="dropped targets" />
      <VirtualList
        items={found}
        label="Dropped targets"
        keyOf={(labels) => JSON.stringify(labels)}
        rowHeight={80}
        grows
        height="max(320px, calc(100dvh - 320px))"
        render={(labels) => (
          <div className="av-card" style={{ marginBottom: 6 }}>
            <LabelSet labels={labels} />
          </div>
        )}
      />
    </>
  )
}
