import { Anchor, Table, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { parseExposition, sumOf, type Sample } from '../answers/exposition'
import { requestText } from '../answers/request'
import { parseBuildInfo, parseRuntimeInfo } from '../answers/status'
import { REFRESH_MS, useAnswer } from '../answers/useAnswer'
import { formatBytes, formatCount, formatSeconds } from '../parts/format'
import { Instant } from '../parts/Instant'
import { Answered, Empty, Page, Problem } from '../parts/Page'
import { cachesOf } from './caches'

export default function StatusPage() {
  const build = useAnswer('api/v1/status/buildinfo', {}, parseBuildInfo)
  const runtime = useAnswer('api/v1/status/runtimeinfo', {}, parseRuntimeInfo)
  return (
    <Page title="Status" about="What runs here, since when, and what it uses.">
      <Section title="Build">
        <Answered query={build} what="the build">
          {({ version, revision }) => (
            <Facts
              facts={[
                ['Version', version],
                ['Revision', revision],
                [
                  'Licences',
                  <Anchor key="licences" href="licenses.txt" target="_blank" underline="always">
                    of the packages in these pages
                  </Anchor>,
                ],
              ]}
            />
          )}
        </Answered>
      </Section>
      <Section title="Runtime">
        <Answered query={runtime} what="the runtime">
          {({ startedMs, directory, processors }) => (
            <Facts
              facts={[
                ['Started', <Instant key="started" ms={startedMs} nowMs={runtime.dataUpdatedAt} />],
                ['Working directory', directory],
                ['Processors', processors === 0 ? 'not known' : formatCount(processors)],
              ]}
            />
          )}
        </Answered>
      </Section>
      <Use />
    </Page>
  )
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <Title order={2} size="h4" mb="xs">
        {title}
      </Title>
      {children}
    </section>
  )
}

function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="av-facts">
      {facts.map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value === '' ? <span className="av-quiet">not known</span> : value}</dd>
        </div>
      ))}
    </dl>
  )
}

const PREFIXES = ['process_', 'thanos_store_index_cache_', 'thanos_store_bucket_cache_']

// Memory and caches, out of the metrics of the process.
function Use() {
  const { data, error, refetch } = useQuery({
    queryKey: ['metrics'],
    queryFn: async ({ signal }) => parseExposition(await requestText('metrics', { signal }), PREFIXES),
    refetchInterval: REFRESH_MS,
    retry: false,
  })
  if (error) {
    return (
      <Problem
        title="What the process uses is in its metrics, which could not be read from here."
        error={error}
        onRetry={() => {
          void refetch()
        }}
      />
    )
  }
  if (!data) return <Text role="status">Reading the metrics …</Text>
  return (
    <>
      <Section title="Memory and processor">
        <Facts
          facts={[
            ['Memory', shown(sumOf(data, 'process_resident_memory_bytes'), formatBytes)],
            ['Processor time', shown(sumOf(data, 'process_cpu_seconds_total'), formatSeconds)],
            ['Open files', openFiles(data)],
          ]}
        />
      </Section>
      <Section title="Caches">
        <Caches samples={data} />
      </Section>
    </>
  )
}

function shown(value: number | null, format: (value: number) => string): string {
  return value === null ? '' : format(value)
}

function openFiles(samples: readonly Sample[]): string {
  const open = shown(sumOf(samples, 'process_open_fds'), formatCount)
  const most = shown(sumOf(samples, 'process_max_fds'), formatCount)
  return most === '' ? open : `${open} of at most ${most}`
}

function Caches({ samples }: { samples: readonly Sample[] }) {
  const caches = cachesOf(samples)
  if (caches.length === 0) {
    return <Empty title="This component has no cache.">A store gateway has one for indexes, and more when told.</Empty>
  }
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Cache</Table.Th>
          <Table.Th scope="col">Requests</Table.Th>
          <Table.Th scope="col">Hits</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {caches.map(({ name, requests, hits }) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" fw={400}>
              {name}
            </Table.Th>
            <Table.Td>{formatCount(requests)}</Table.Td>
            <Table.Td>
              {formatCount(hits)}
              {requests > 0 && ` (${((100 * hits) / requests).toFixed(0)}%)`}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
