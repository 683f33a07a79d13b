import { Anchor, SimpleGrid, Table, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, type ReactNode } from 'react'
import { Link } from 'react-router-dom'
import { requestText } from '../answers/request'
import { parseBuildInfo, parseRuntimeInfo } from '../answers/status'
import { REFRESH_MS, useAnswer, type Parsed } from '../answers/useAnswer'
import { formatBytes, formatCount, formatInstant } from '../parts/format'
import { Instant } from '../parts/Instant'
import { Answered, Page } from '../parts/Page'
import { cachesOf, parseExposition, total, type CacheStatus, type Sample } from './exposition'

export default function StatusPage() {
  const build = useAnswer('api/v1/status/buildinfo', {}, parseBuildInfo)
  const runtime = useAnswer('api/v1/status/runtimeinfo', {}, parseRuntimeInfo)
  const metrics = useQuery({
    queryKey: ['metrics'],
    // Not below the prefix: the server has one address for its metrics.
    queryFn: async ({ signal }): Promise<Parsed<Sample[]>> => ({
      value: parseExposition(await requestText('/metrics', { signal })),
      warnings: [],
    }),
    refetchInterval: REFRESH_MS,
    retry: false,
  })
  return (
    <Page title="Status" about="The process that served this page.">
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Part title="Build">
          <Answered query={build} what="the build">
            {(info) => (
              <Facts
                facts={[
                  ['Version', info.version],
                  ['Revision', info.revision],
                  ['Branch', info.branch],
                  ['Built by', info.buildUser],
                  ['Built at', info.buildDate],
                  ['Go', info.goVersion],
                ]}
              />
            )}
          </Answered>
        </Part>
        <Part title="Runtime">
          <Answered query={runtime} what="the runtime">
            {(info) => (
              <Facts
                facts={[
                  ['Started', info.startedMs === null ? '' : `${formatInstant(info.startedMs)} UTC`],
                  ['Up', info.startedMs === null ? '' : <Up ms={info.startedMs} nowMs={runtime.dataUpdatedAt} />],
                  ['Directory', info.directory],
                  ['Processors', info.processors === 0 ? '' : formatCount(info.processors)],
                ]}
              />
            )}
          </Answered>
        </Part>
        <Part title="Memory and files">
          <Answered query={metrics} what="the metrics">
            {(samples) => <Process samples={samples} />}
          </Answered>
        </Part>
      </SimpleGrid>
      <Part title="Caches">
        {metrics.data ? (
          <Caches samples={metrics.data.value} />
        ) : (
          <Text size="sm" className="av-quiet">
            They are read from the metrics.
          </Text>
        )}
      </Part>
      <Text size="sm">
        See also{' '}
        <Anchor component={Link} to="/flags" underline="always">
          the flags
        </Anchor>
        .
      </Text>
    </Page>
  )
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} style={{ minWidth: 0 }}>
      <Title order={2} size="h4" mb={6}>
        {title}
      </Title>
      {children}
    </section>
  )
}

function Up({ ms, nowMs }: { ms: number; nowMs: number }) {
  return (
    <>
      since <Instant ms={ms} nowMs={nowMs} />
    </>
  )
}

// Facts that nobody says are left out.
function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  const said = facts.filter(([, fact]) => fact !== '')
  if (said.length === 0) {
    return (
      <Text size="sm" className="av-quiet">
        The server does not say.
      </Text>
    )
  }
  return (
    <dl className="av-facts">
      {said.map(([name, fact]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{fact}</dd>
        </div>
      ))}
    </dl>
  )
}

function Process({ samples }: { samples: readonly Sample[] }) {
  const bytes = (name: string) => show(total(samples, name), formatBytes)
  const count = (name: string) => show(total(samples, name), formatCount)
  const open = count('process_open_fds')
  const most = count('process_max_fds')
  return (
    <Facts
      facts={[
        ['Resident memory', bytes('process_resident_memory_bytes')],
        ['Virtual memory', bytes('process_virtual_memory_bytes')],
        ['Open files', open === '' ? '' : `${open}${most === '' ? '' : ` of ${most}`}`],
        ['Processor time', show(total(samples, 'process_cpu_seconds_total'), (value) => `${value.toFixed(1)} s`)],
        ['Received', bytes('process_network_receive_bytes_total')],
        ['Sent', bytes('process_network_transmit_bytes_total')],
      ]}
    />
  )
}

function show(value: number | null, format: (value: number) => string): string {
  return value === null || !Number.isFinite(value) ? '' : format(value)
}

function Caches({ samples }: { samples: readonly Sample[] }) {
  const caches = useMemo(() => cachesOf(samples), [samples])
  if (caches.length === 0) {
    return (
      <Text size="sm" className="av-quiet">
        This process has no caches, or they were not asked yet. Those of a store gateway are set by{' '}
        <code>--index-cache.config</code> and <code>--store.caching-bucket.config</code>.
      </Text>
    )
  }
  return (
    <div className="av-table" tabIndex={0} role="region" aria-label="Table of caches">
      <Table verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            {['Cache', 'Items', 'Size', 'Requests', 'Hits', 'Evicted'].map((name, index) => (
              <Table.Th key={name} scope="col" ta={index === 0 ? 'left' : 'right'}>
                {name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {caches.map((cache) => (
            <Table.Tr key={cache.name}>
              <Table.Th scope="row" fw={400} className="av-break">
                {cache.name}
              </Table.Th>
              <Table.Td ta="right">{show(cache.items, formatCount)}</Table.Td>
              <Table.Td ta="right">{sizeOf(cache)}</Table.Td>
              <Table.Td ta="right">{formatCount(cache.requests)}</Table.Td>
              <Table.Td ta="right">{hitsOf(cache)}</Table.Td>
              <Table.Td ta="right">{show(cache.evicted, formatCount)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function sizeOf(cache: CacheStatus): string {
  const size = show(cache.bytes, formatBytes)
  const most = show(cache.maxBytes, formatBytes)
  return size === '' || most === '' ? size : `${size} of ${most}`
}

function hitsOf(cache: CacheStatus): string {
  const hits = formatCount(cache.hits)
  return cache.requests === 0 ? hits : `${hits} (${((cache.hits / cache.requests) * 100).toFixed(1)} %)`
}
