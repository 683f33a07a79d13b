import { Button, Code, CopyButton, Drawer, Group, Stack, Table, Text, Title } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { parseMarks, type Block, type Mark } from '../answers/blocks'
import { RequestError } from '../answers/request'
import { useAnswer } from '../answers/useAnswer'
import { Badge } from '../parts/Badge'
import { formatBytes, formatCount, formatDuration, formatInstant, formatResolution } from '../parts/format'
import { LabelSet } from '../parts/LabelSet'
import { Problem } from '../parts/Page'
import { MARK_NAMES } from './describe'
import type { BlockLayout } from './layout'
import { MarkDialog, type MarkAction } from './MarkDialog'

export interface BlockDetailsProps {
  block: Block | null // null: closed
  layout: BlockLayout
  canMark: boolean
  onClose: () => void
  onOpen: (ulid: string) => void
  isShown: (ulid: string) => boolean
}

// All that is known of one block.
export function BlockDetails({ block, layout, canMark, onClose, onOpen, isShown }: BlockDetailsProps) {
  return (
    <Drawer
      opened={block !== null}
      onClose={onClose}
      position="right"
      size="lg"
      title={block ? `Block ${block.ulid}` : ''}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {block && (
        <Stack gap="md">
          <Group gap="xs">
            {layout.overlapping.has(block) && <Badge tone="bad">overlaps another block</Badge>}
            {layout.superseded.has(block) && <Badge tone="note">in a larger block too</Badge>}
          </Group>
          <Facts block={block} />
          <Marks block={block} canMark={canMark} />
          <Files block={block} />
          <Ancestors title="Parents" ulids={block.parents} onOpen={onOpen} isShown={isShown} />
          <Ancestors title="Sources" ulids={block.sources} onOpen={onOpen} isShown={isShown} />
          <MetaJson block={block} />
        </Stack>
      )}
    </Drawer>
  )
}

function Facts({ block }: { block: Block }) {
  return (
    <dl className="av-facts">
      <dt>From</dt>
      <dd>{formatInstant(block.minMs)} UTC</dd>
      <dt>To</dt>
      <dd>{formatInstant(block.maxMs)} UTC</dd>
      <dt>Length</dt>
      <dd>{formatDuration(block.maxMs - block.minMs)}</dd>
      <dt>Compaction level</dt>
      <dd>{block.level}</dd>
      <dt>Resolution</dt>
      <dd>{formatResolution(block.resolutionMs)}</dd>
      <dt>Labels</dt>
      <dd>
        <LabelSet labels={block.labels} />
      </dd>
      <dt>Made by</dt>
      <dd>{block.source === '' ? 'unknown' : block.source}</dd>
      <dt>Uploaded</dt>
      <dd>{block.uploadedMs === null ? 'not said' : `${formatInstant(block.uploadedMs)} UTC`}</dd>
      <dt>Series</dt>
      <dd>{formatCount(block.series)}</dd>
      <dt>Samples</dt>
      <dd>{formatCount(block.samples)}</dd>
      <dt>Chunks</dt>
      <dd>{formatCount(block.chunks)}</dd>
      <dt>Size</dt>
      <dd>
        {block.files.length === 0 ? 'not said' : formatBytes(block.bytes)}
        {block.samples > 0 && block.bytes > 0 && ` (${(block.bytes / block.samples).toFixed(2)} bytes a sample)`}
      </dd>
    </dl>
  )
}

function Files({ block }: { block: Block }) {
  if (block.files.length === 0) return null
  return (
    <section aria-label="Files">
      <Title order={3} size="h5">
        Files
      </Title>
      <Table verticalSpacing={3}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">File</Table.Th>
            <Table.Th scope="col" ta="right">
              Size
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {block.files.map((file, index) => (
            <Table.Tr key={index}>
              <Table.Th scope="row" fw={400} className="av-break">
                {file.path}
              </Table.Th>
              <Table.Td ta="right">{file.bytes === 0 ? '' : formatBytes(file.bytes)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  )
}

interface AncestorsProps {
  title: string
  ulids: readonly string[]
  onOpen: (ulid: string) => void
  isShown: (ulid: string) => boolean
}

// Blocks of years have hundreds of them; the meta.json below has all.
const MOST_ANCESTORS = 60

function Ancestors({ title, ulids, onOpen, isShown }: AncestorsProps) {
  if (ulids.length === 0) return null
  return (
    <section aria-label={title}>
      <Title order={3} size="h5">
        {title} ({formatCount(ulids.length)})
      </Title>
      <ul className="av-labels">
        {ulids.slice(0, MOST_ANCESTORS).map((ulid, index) => (
          <li key={index}>
            {isShown(ulid) ? (
              <button
                type="button"
                className="av-label"
                onClick={() => {
                  onOpen(ulid)
                }}
              >
                {ulid}
              </button>
            ) : (
              <span className="av-label">{ulid}</span>
            )}
          </li>
        ))}
        {ulids.length > MOST_ANCESTORS && <li>and more</li>}
      </ul>
    </section>
  )
}

function MetaJson({ block }: { block: Block }) {
  const text = JSON.stringify(block.meta, null, 2)
  return (
    <section aria-label="meta.json">
      <Group justify="space-between" mb={4}>
        <Title order={3} size="h5">
          meta.json
        </Title>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="default" onClick={copy}>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </Group>
      <Code block tabIndex={0} style={{ maxHeight: 360, overflow: 'auto' }}>
        {text}
      </Code>
    </section>
  )
}

function Marks({ block, canMark }: { block: Block; canMark: boolean }) {
  const [action, setAction] = useState<MarkAction | null>(null)
  const client = useQueryClient()
  const query = useAnswer('api/v1/blocks/marks', { id: block.ulid }, parseMarks)
  const marks = query.data?.value ?? []
  const has = (kind: Mark['kind']) => marks.some((mark) => mark.kind === kind)
  // Servers of another kind don't tell; then there is nothing to say, and nothing went wrong.
  const untold = query.error instanceof RequestError && query.error.status === 404
  return (
    <section aria-label="Marks">
      <Title order={3} size="h5" mb={4}>
        Marks
      </Title>
      {query.error && !untold && (
        <Problem
          title="Could not load the marks."
          error={query.error}
          onRetry={() => {
            void query.refetch()
          }}
        />
      )}
      {untold && (
        <Text size="sm" className="av-quiet">
          This server does not tell which marks a block has.
        </Text>
      )}
      {query.data && marks.length === 0 && (
        <Text size="sm" className="av-quiet">
          None.
        </Text>
      )}
      {marks.map((mark) => (
        <Text size="sm" key={mark.kind} className="av-break">
          <Badge tone={mark.kind === 'deletion' ? 'bad' : 'warn'}>{MARK_NAMES[mark.kind]}</Badge>{' '}
          {mark.timeMs !== null && `since ${formatInstant(mark.timeMs)} UTC`}
          {mark.reason !== '' && `, reason ${mark.reason}`}
          {mark.details !== '' && `: ${mark.details}`}
        </Text>
      ))}
      {canMark && (
        <Group gap="xs" mt="xs">
          <Button
            size="compact-sm"
            variant="default"
            disabled={has('no-compact')}
            onClick={() => {
              setAction('NO_COMPACTION')
            }}
          >
            Mark for no compaction…
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            className="av-danger"
            disabled={has('deletion')}
            onClick={() => {
              setAction('DELETION')
            }}
          >
            Mark for deletion…
          </Button>
        </Group>
      )}
      <MarkDialog
        block={block}
        action={action}
        onClose={() => {
          setAction(null)
        }}
        onMarked={() => {
          setAction(null)
          void client.invalidateQueries({ queryKey: ['answer', 'api/v1/blocks/marks'] })
        }}
      />
    </section>
  )
}
