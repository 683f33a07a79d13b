import { Anchor, NumberInput, SimpleGrid, Table, Text, Title } from '@mantine/core'
import { Link } from 'react-router-dom'
import { parseTsdbStatus, type Statistic, type TsdbStatus } from '../answers/status'
import { useAnswer } from '../answers/useAnswer'
import { formatBytes, formatCount, formatInstant } from '../parts/format'
import { Answered, Empty, Filters, Page } from '../parts/Page'
import { graphLink, selector } from '../parts/promql'
import { SearchField } from '../parts/SearchField'
import { useUrlState } from '../parts/urlState'
import './tsdb-status.css'

const USUAL_LIMIT = 10
const MOST = 1000

export default function TsdbStatusPage() {
  const url = useUrlState()
  const limit = Math.min(Math.max(Math.round(url.number('limit') ?? USUAL_LIMIT), 1), MOST)
  const match = url.text('match')
  const query = useAnswer(
    'api/v1/status/tsdb',
    { limit: String(limit), 'match[]': match === '' ? undefined : match },
    parseTsdbStatus,
  )
  return (
    <Page
      title="Cardinality"
      about="What the databases behind all endpoints hold in memory, together: which metrics and labels make the most series."
    >
      <Filters>
        <SearchField
          label="Only series of this selector"
          placeholder='{cluster="eu1"}'
          value={match}
          onChange={(text) => {
            url.set({ match: text })
          }}
        />
        <NumberInput
          label="Rows of each list"
          min={1}
          max={MOST}
          clampBehavior="blur"
          value={limit}
          onChange={(value) => {
            if (typeof value === 'number') url.set({ limit: value === USUAL_LIMIT ? null : String(value) })
          }}
          w={140}
        />
      </Filters>
      <Answered query={query} what="the statistics">
        {(status) => (isEmpty(status) ? <NoStatistics /> : <Statistics status={status} />)}
      </Answered>
    </Page>
  )
}

function isEmpty(status: TsdbStatus): boolean {
  return status.series === 0 && status.seriesByMetric.length === 0 && status.valuesByLabel.length === 0
}

function NoStatistics() {
  return (
    <Empty title="No endpoint tells of its database.">
      Sidecars of a newer version, receivers and rulers do; a store gateway has no database of its own.
    </Empty>
  )
}

function Statistics({ status }: { status: TsdbStatus }) {
  return (
    <>
      <dl className="av-facts">
        <dt>Series</dt>
        <dd>{formatCount(status.series)}</dd>
        <dt>Chunks</dt>
        <dd>{formatCount(status.chunks)}</dd>
        <dt>Label pairs</dt>
        <dd>{formatCount(status.labelPairs)}</dd>
        <dt>Time</dt>
        <dd>
          {status.minMs === null ? '?' : formatInstant(status.minMs)} to{' '}
          {status.maxMs === null ? 'now' : formatInstant(status.maxMs)}
        </dd>
      </dl>
      <Text size="sm" className="av-quiet">
        Replicas of the same data count as often as there are.
      </Text>
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
        <TopList
          title="Series by metric"
          statistics={status.seriesByMetric}
          of={status.series}
          link={(name) => graphLink(`count(${selector(name)})`)}
        />
        <TopList
          title="Series by label pair"
          statistics={status.seriesByPair}
          of={status.series}
          link={(pair) => graphLink(`count(${pairSelector(pair)})`)}
        />
        <TopList
          title="Values by label"
          statistics={status.valuesByLabel}
          link={(name) => `/explorer?${new URLSearchParams({ label: name }).toString()}`}
        />
        <TopList title="Memory of names and values by label" statistics={status.bytesByLabel} format={formatBytes} />
      </SimpleGrid>
    </>
  )
}

function pairSelector(pair: string): string {
  const at = pair.indexOf('=')
  return selector('', { [pair.slice(0, at)]: pair.slice(at + 1) })
}

interface TopListProps {
  title: string
  statistics: readonly Statistic[]
  of?: number // what the bars are parts of; the largest, when absent
  format?: (value: number) => string
  link?: (name: string) => string
}

function TopList({ title, statistics, of, format = formatCount, link }: TopListProps) {
  const whole = Math.max(of ?? 0, ...statistics.map((statistic) => statistic.value), 1)
  return (
    <section aria-label={title}>
      <Title order={2} size="h4" mb={4}>
        {title}
      </Title>
      {statistics.length === 0 ? (
        <Text size="sm" className="av-quiet">
          No endpoint says.
        </Text>
      ) : (
        <Table layout="fixed" withRowBorders={false} verticalSpacing={3}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Name</Table.Th>
              <Table.Th scope="col" w={110} ta="right">
                Count
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {statistics.map((statistic, index) => (
              <Table.Tr key={index}>
                <Table.Th scope="row" fw={400} className="av-break">
                  {link ? (
                    <Anchor component={Link} to={link(statistic.name)} underline="always" inherit>
                      {statistic.name}
                    </Anchor>
                  ) : (
                    statistic.name
                  )}
                  <div className="av-part" aria-hidden="true">
                    <div style={{ width: `${((Math.max(statistic.value, 0) / whole) * 100).toFixed(2)}%` }} />
                  </div>
                </Table.Th>
                <Table.Td ta="right">{format(statistic.value)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </section>
  )
}
