import { Anchor, Button, Group, SegmentedControl, Text, Title } from '@mantine/core'
import { useDeferredValue, useMemo, useState } from 'react'
import { Link } from 'react-router-dom'
import { mergeMetrics, parseNames, type Metric } from '../answers/metrics'
import { useAnswer } from '../answers/useAnswer'
import { asObject } from '../answers/values'
import { Badge } from '../parts/Badge'
import { Choices } from '../parts/Choices'
import { countBy } from '../parts/groupBy'
import { Answered, Empty, Filters, Page, Shown } from '../parts/Page'
import { graphLink, selector } from '../parts/promql'
import { SearchField } from '../parts/SearchField'
import { useUrlList, useUrlState } from '../parts/urlState'
import { VirtualList } from '../parts/VirtualList'
import { parseQuery } from '../search/search'
import { LabelExplorer } from './LabelExplorer'
import { parseConditions, rangeNamed, rangeParams, RANGES } from './ranges'
import './explorer.css'

export default function ExplorerPage() {
  const url = useUrlState()
  const range = rangeNamed(url.text('range'))
  const [openedMs] = useState(() => Date.now())
  const params = useMemo(() => rangeParams(range, openedMs), [range, openedMs])
  const metadata = useAnswer('api/v1/metadata', {}, asObject)
  const names = useAnswer('api/v1/label/__name__/values', params, parseNames)
  // What targets say of their metrics is worth having, and nothing depends on it.
  const said = metadata.data?.value
  const metrics = useMemo(() => mergeMetrics(said, names.data?.value ?? []), [said, names.data])
  return (
    <Page title="Metrics" about="Which metrics there are, what they mean, and which labels they have.">
      <SegmentedControl
        aria-label="Range of time"
        data={RANGES.map(({ value, label }) => ({ value, label }))}
        value={range.value}
        onChange={(value) => {
          url.set({ range: value === RANGES[0].value ? null : value })
        }}
        style={{ alignSelf: 'flex-start' }}
      />
      {metadata.error && (
        <Text size="sm" role="status" className="av-break">
          Types and help texts are missing: {metadata.error.message}
        </Text>
      )}
      <Answered query={names} what="the metrics">
        {() => (metrics.length === 0 ? <NoMetrics /> : <Explorer metrics={metrics} params={params} />)}
      </Answered>
    </Page>
  )
}

function NoMetrics() {
  return (
    <Empty title="There are no metrics in this time.">
      Choose a longer one, or look at{' '}
      <Anchor component={Link} to="/stores" underline="always" inherit>
        the stores
      </Anchor>
      : those that are healthy show the time of which they have data.
    </Empty>
  )
}

function filterMetrics(metrics: readonly Metric[], search: string, types: readonly string[]): readonly Metric[] {
  // Metrics have no labels here, so that a condition is a word like others.
  const { words, conditions } = parseQuery(search)
  const all = [...words, ...conditions.map(({ value }) => value.toLowerCase())]
  return metrics.filter((metric) => {
    if (types.length > 0 && !types.includes(metric.type || 'unknown')) return false
    const text = `${metric.name} ${metric.help} ${metric.unit}`.toLowerCase()
    return all.every((word) => text.includes(word))
  })
}

function Explorer({ metrics, params }: { metrics: readonly Metric[]; params: ReturnType<typeof rangeParams> }) {
  const url = useUrlState()
  const search = url.text('search')
  const types = useUrlList(url, 'type')
  const conditions = parseConditions(useUrlList(url, 'where'))
  const chosen = url.text('metric')
  const counts = useMemo(() => countBy(metrics, (metric) => metric.type || 'unknown'), [metrics])
  const found = useDeferredValue(useMemo(() => filterMetrics(metrics, search, types), [metrics, search, types]))
  const metric = metrics.find(({ name }) => name === chosen)
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
          choices={[...counts].sort().map(([type, count]) => ({ value: type, label: type, count }))}
          chosen={types}
          onChange={(value) => {
            url.set({ type: value })
          }}
        />
      </Filters>
      <div className="av-explorer">
        <div>
          <Shown shown={found.length} all={metrics.length} what="metrics" />
          {found.length === 0 ? (
            <Empty title="No metric matches.">Change the search or the types.</Empty>
          ) : (
            <VirtualList
              items={found}
              label="Metrics"
              keyOf={(item) => item.name}
              rowHeight={54}
              height="max(260px, calc(100dvh - 340px))"
              render={(item) => (
                <button
                  type="button"
                  className="av-metric"
                  aria-pressed={item.name === chosen}
                  onClick={() => {
                    url.set({ metric: item.name === chosen ? null : item.name, where: null, label: null })
                  }}
                >
                  <span className="av-metric-name">{item.name}</span>
                  <span className="av-quiet av-metric-help">
                    {[item.type, item.unit, item.help].filter((text) => text !== '').join(' · ') || 'no metadata'}
                  </span>
                </button>
              )}
            />
          )}
        </div>
        <section aria-label={chosen === '' ? 'All metrics' : `Metric ${chosen}`}>
          {chosen === '' ? (
            <Text size="sm" className="av-quiet" mb="xs">
              Labels of all metrics. Choose one to see its own.
            </Text>
          ) : (
            <MetricFacts name={chosen} metric={metric} expression={selector(chosen, conditions)} />
          )}
          <LabelExplorer metric={chosen} conditions={conditions} params={params} />
        </section>
      </div>
    </>
  )
}

interface MetricFactsProps {
  name: string
  metric: Metric | undefined
  expression: string
}

function MetricFacts({ name, metric, expression }: MetricFactsProps) {
  const url = useUrlState()
  const counts = metric?.type === 'counter' || name.endsWith('_total')
  return (
    <div style={{ marginBottom: 12 }}>
      <Title order={2} size="h4" className="av-break">
        {name}
      </Title>
      <Group gap="xs" my={4}>
        {metric?.type && <Badge tone="note">{metric.type}</Badge>}
        {metric?.unit && <Badge tone="quiet">{metric.unit}</Badge>}
      </Group>
      <Text size="sm" className="av-break">
        {metric?.help || 'No target says what it means.'}
      </Text>
      {metric?.others.map((other, index) => (
        <Text size="sm" key={index} className="av-break av-quiet">
          Other targets say: {[other.type, other.unit, other.help].filter((text) => text !== '').join(' · ')}
        </Text>
      ))}
      <Group gap="md" mt={6}>
        <Anchor component={Link} to={graphLink(expression)} size="sm" underline="always">
          Graph
        </Anchor>
        {counts && (
          <Anchor component={Link} to={graphLink(`rate(${expression}[5m])`)} size="sm" underline="always">
            Graph of the rate
          </Anchor>
        )}
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => {
            url.set({ metric: null, where: null, label: null })
          }}
        >
          All metrics
        </Button>
      </Group>
    </div>
  )
}
