import { Anchor, Group, Text, UnstyledButton } from '@mantine/core'
import { useMemo } from 'react'
import { Link } from 'react-router-dom'
import { mergeMetrics, parseNames, type Metric } from '../answers/metrics'
import { useAnswer } from '../answers/useAnswer'
import { Badge } from '../parts/Badge'
import { Choices } from '../parts/Choices'
import { countBy } from '../parts/groupBy'
import { Answered, Empty, Filters, Page, Shown } from '../parts/Page'
import { graphLink, selector } from '../parts/promql'
import { SearchField } from '../parts/SearchField'
import { useUrlList, useUrlState } from '../parts/urlState'
import { VirtualList } from '../parts/VirtualList'
import { filterMetrics, typeOf } from './filter'
import { MetricLabels } from './MetricLabels'

const asIs = (data: unknown) => data

export default function ExplorerPage() {
  const metadata = useAnswer('api/v1/metadata', {}, asIs)
  const names = useAnswer('api/v1/label/__name__/values', {}, parseNames)
  return (
    <Page title="Explorer" about="The metrics of all endpoints: what they mean, and which labels they have.">
      <Answered query={names} what="the names of metrics">
        {(known) => (
          <Answered query={metadata} what="what targets say of their metrics">
            {(described) => <Metrics metadata={described} names={known} />}
          </Answered>
        )}
      </Answered>
    </Page>
  )
}

function Metrics({ metadata, names }: { metadata: unknown; names: readonly string[] }) {
  const url = useUrlState()
  const search = url.text('search')
  const types = useUrlList(url, 'type')
  const opened = url.text('metric')
  const all = useMemo(() => mergeMetrics(metadata, names), [metadata, names])
  const typeCounts = useMemo(() => countBy(all, typeOf), [all])
  const found = useMemo(() => filterMetrics(all, search, types), [all, search, types])
  if (all.length === 0) {
    return (
      <Empty title="No endpoint knows a metric yet.">
        As soon as a Prometheus behind a sidecar has scraped a target, its metrics are here.
      </Empty>
    )
  }
  return (
    <>
      <Filters>
        <SearchField
          label="Search metrics"
          placeholder="name, help or unit"
          value={search}
          onChange={(text) => {
            url.set({ search: text })
          }}
        />
        <Choices
          label="Type"
          choices={[...typeCounts].map(([value, count]) => ({ value, label: value, count }))}
          chosen={types}
          onChange={(chosen) => {
            url.set({ type: chosen })
          }}
        />
      </Filters>
      <Shown shown={found.length} all={all.length} what="metrics" />
      {found.length === 0 ? (
        <Empty title="No metric matches.">Change the search or the types.</Empty>
      ) : (
        <VirtualList
          items={found}
          label="Metrics"
          keyOf={(metric) => metric.name}
          rowHeight={64}
          grows
          height="70vh"
          render={(metric) => (
            <MetricRow
              metric={metric}
              opened={metric.name === opened}
              onToggle={() => {
                url.set({ metric: metric.name === opened ? null : metric.name })
              }}
            />
          )}
        />
      )}
    </>
  )
}

function MetricRow({ metric, opened, onToggle }: { metric: Metric; opened: boolean; onToggle: () => void }) {
  return (
    <div className="av-card" style={{ marginBottom: 6 }}>
      <Group gap="sm">
        <UnstyledButton onClick={onToggle} aria-expanded={opened} className="av-break" fw={600}>
          {metric.name}
        </UnstyledButton>
        <Badge tone="note">{typeOf(metric)}</Badge>
        {metric.unit !== '' && <Badge tone="quiet">{metric.unit}</Badge>}
        <Anchor component={Link} to={graphLink(selector(metric.name))} size="sm" underline="always">
          Graph
        </Anchor>
      </Group>
      {metric.help !== '' && (
        <Text size="sm" className="av-break">
          {metric.help}
        </Text>
      )}
      {metric.others.length > 0 && opened && (
        <Text size="sm" className="av-quiet av-break">
          Other targets say: {metric.others.map(({ type, help }) => `${type}: ${help}`).join(' · ')}
        </Text>
      )}
      {opened && <MetricLabels metric={metric.name} />}
    </div>
  )
}
