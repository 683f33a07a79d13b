import { Anchor, Button, Group, Text, Title } from '@mantine/core'
import { useMemo, useState } from 'react'
import { Link } from 'react-router-dom'
import { parseNames } from '../answers/metrics'
import type { Params } from '../answers/request'
import { useAnswer } from '../answers/useAnswer'
import type { Labels } from '../answers/values'
import { formatCount } from '../parts/format'
import { Answered, Shown } from '../parts/Page'
import { escapeForPath, graphLink, quote, selector } from '../parts/promql'
import { SearchField } from '../parts/SearchField'
import { useUrlState } from '../parts/urlState'
import { VirtualList } from '../parts/VirtualList'
import { matchParams } from './ranges'

export interface LabelExplorerProps {
  metric: string // "": all
  conditions: Labels // that the series meet
  params: Params // the range of time
}

const toTexts = (conditions: Labels) => Object.entries(conditions).map(([name, value]) => `${name}=${value}`)

// The labels of a metric with how many values each has, and the values of one of them.
export function LabelExplorer({ metric, conditions, params }: LabelExplorerProps) {
  const url = useUrlState()
  const asked = { ...params, ...matchParams(metric, conditions) }
  const query = useAnswer('api/v1/labels', asked, parseNames)
  const opened = url.text('label')
  return (
    <>
      {Object.keys(conditions).length > 0 && (
        <Group gap={6} mb="xs">
          <Text size="sm">Only series with</Text>
          {Object.entries(conditions).map(([name, value]) => (
            <button
              key={name}
              type="button"
              className="av-label"
              aria-label={`Remove ${name}=${quote(value)}`}
              onClick={() => {
                const rest = toTexts(conditions).filter((text) => text !== `${name}=${value}`)
                url.set({ where: rest })
              }}
            >
              {name}={quote(value)} ×
            </button>
          ))}
        </Group>
      )}
      <Answered query={query} what="the labels">
        {(names) => (
          <LabelNames
            names={names.filter((name) => name !== '__name__')}
            opened={opened}
            asked={asked}
            onOpen={(name) => {
              url.set({ label: name === opened ? null : name })
            }}
          />
        )}
      </Answered>
      {opened !== '' && (
        <LabelValues
          key={opened}
          name={opened}
          asked={asked}
          metric={metric}
          conditions={conditions}
          onNarrow={(value) => {
            url.set({ where: toTexts({ ...conditions, [opened]: value }), label: null })
          }}
        />
      )}
    </>
  )
}

// So many labels are counted at once; each is a question to all stores.
const COUNTED = 30

interface LabelNamesProps {
  names: readonly string[]
  opened: string
  asked: Params
  onOpen: (name: string) => void
}

function LabelNames({ names, opened, asked, onOpen }: LabelNamesProps) {
  const [counted, setCounted] = useState(COUNTED)
  if (names.length === 0) {
    return (
      <Text size="sm" className="av-quiet">
        No series in this time has a label here.
      </Text>
    )
  }
  return (
    <>
      <ul className="av-labels" aria-label="Labels">
        {names.slice(0, counted).map((name) => (
          <li key={name} style={{ maxWidth: '100%' }}>
            <LabelName
              name={name}
              asked={asked}
              opened={name === opened}
              onOpen={() => {
                onOpen(name)
              }}
            />
          </li>
        ))}
      </ul>
      {names.length > counted && (
        <Button
          size="compact-xs"
          variant="default"
          mt={6}
          onClick={() => {
            setCounted(counted + COUNTED)
          }}
        >
          Show more of {formatCount(names.length)} labels
        </Button>
      )}
    </>
  )
}

function valuesPath(name: string): string {
  return `api/v1/label/${encodeURIComponent(escapeForPath(name))}/values`
}

interface LabelNameProps {
  name: string
  asked: Params
  opened: boolean
  onOpen: () => void
}

function LabelName({ name, asked, opened, onOpen }: LabelNameProps) {
  const { data, error } = useAnswer(valuesPath(name), asked, parseNames)
  const count = data ? formatCount(data.value.length) : error ? '?' : '…'
  return (
    <button
      type="button"
      className="av-label"
      aria-expanded={opened}
      aria-label={`${name}, ${data ? `${count} values` : 'number of values not known yet'}`}
      onClick={onOpen}
    >
      {name} <span className="av-quiet">{count}</span>
    </button>
  )
}

interface LabelValuesProps {
  name: string
  asked: Params
  metric: string
  conditions: Labels
  onNarrow: (value: string) => void
}

function LabelValues({ name, asked, metric, conditions, onNarrow }: LabelValuesProps) {
  const query = useAnswer(valuesPath(name), asked, parseNames)
  const [search, setSearch] = useState('')
  const all = query.data?.value
  const found = useMemo(() => {
    const word = search.toLowerCase()
    return (all ?? []).filter((value) => value.toLowerCase().includes(word))
  }, [all, search])
  return (
    <section aria-label={`Values of ${name}`} style={{ marginTop: 12 }}>
      <Title order={3} size="h5" className="av-break">
        Values of {name}
      </Title>
      <Answered query={query} what="the values">
        {(values) => (
          <>
            <SearchField label="Search values" value={search} onChange={setSearch} />
            <Shown shown={found.length} all={values.length} what="values" />
            <VirtualList
              items={found}
              label={`List of values of ${name}`}
              keyOf={(value) => value}
              rowHeight={34}
              grows
              height={Math.min(360, 36 * Math.max(found.length, 1) + 8)}
              render={(value) => (
                <Group gap="xs" wrap="nowrap" py={4}>
                  <Text size="sm" className="av-break" style={{ flex: 1, minWidth: 0 }}>
                    {value === '' ? '(empty)' : value}
                  </Text>
                  <Anchor
                    component={Link}
                    to={graphLink(selector(metric, { ...conditions, [name]: value }))}
                    size="sm"
                    underline="always"
                    aria-label={`Graph of ${name}=${quote(value)}`}
                  >
                    Graph
                  </Anchor>
                  <Button
                    size="compact-xs"
                    variant="default"
                    aria-label={`Only ${name}=${quote(value)}`}
                    onClick={() => {
                      onNarrow(value)
                    }}
                  >
                    Only this
                  </Button>
                </Group>
              )}
            />
          </>
        )}
      </Answered>
    </section>
  )
}
