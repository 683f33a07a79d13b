import { Anchor, Table, Text } from '@mantine/core'
import { Link } from 'react-router-dom'
import { useAnswer } from '../answers/useAnswer'
import { formatCount, plural } from '../parts/format'
import { Answered, Empty } from '../parts/Page'
import { graphLink, selector } from '../parts/promql'
import { parseUse, type MetricUse } from './labels'

// More series than these are not read to count labels.
const MOST_SERIES = 10_000

// The labels of a metric with their number of values, asked when it is opened.
export function MetricLabels({ metric }: { metric: string }) {
  const query = useAnswer('api/v1/series', { 'match[]': selector(metric), limit: String(MOST_SERIES) }, parseUse)
  return (
    <Answered query={query} what="the labels">
      {(use) =>
        use.series === 0 ? (
          <Empty title="It has no series now.">Its family may have: a histogram has series under other names.</Empty>
        ) : (
          <Labels metric={metric} use={use} />
        )
      }
    </Answered>
  )
}

function Labels({ metric, use }: { metric: string; use: MetricUse }) {
  return (
    <>
      <Text size="sm" mt="xs">
        {plural(use.series, 'series', 'series')}
        {use.series >= MOST_SERIES && ' or more'}
      </Text>
      <div className="av-table" tabIndex={0} role="region" aria-label={`Labels of ${metric}`}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Label</Table.Th>
              <Table.Th scope="col">Values</Table.Th>
              <Table.Th scope="col">For example</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {use.labels.map((label) => (
              <Table.Tr key={label.name}>
                <Table.Th scope="row" fw={400} className="av-break">
                  <Anchor
                    component={Link}
                    to={graphLink(`count by (${JSON.stringify(label.name)}) (${selector(metric)})`, 'table')}
                    underline="always"
                    inherit
                  >
                    {label.name}
                  </Anchor>
                </Table.Th>
                <Table.Td>{formatCount(label.values)}</Table.Td>
                <Table.Td className="av-break">{label.examples.join(', ')}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </>
  )
}
