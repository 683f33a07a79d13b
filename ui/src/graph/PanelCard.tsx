import { ActionIcon, Button, Group, Stack, Tabs, Text } from '@mantine/core'
import { useEffect, useState } from 'react'
import { request } from '../answers/request'
import { asText } from '../answers/values'
import { Empty, Problem } from '../parts/Page'
import { Editor } from './Editor'
import { ExplainControls, ExplainView } from './ExplainView'
import { GraphView } from './GraphView'
import { HistoryMenu } from './HistoryMenu'
import { Notices } from './Notices'
import { Options } from './Options'
import type { Panel, View } from './panels'
import { StatsLine } from './StatsLine'
import { TableView } from './TableView'
import { TimeControls } from './TimeControls'
import { useRun, type Outcome } from './useRun'

export interface PanelCardProps {
  number: number // from 1
  panel: Panel
  // `replace`: without an entry in the browser's history.
  onChange: (change: Partial<Panel>, replace?: boolean) => void
  onRemove: (() => void) | null // null: the only panel
}

// A query and its answer.
export function PanelCard({ number, panel, onChange, onRemove }: PanelCardProps) {
  const [draft, setDraft] = useState(panel.expr)
  const [run, setRun] = useState(0)
  const [formatFault, setFormatFault] = useState<Error | null>(null)
  const query = useRun(panel, run)
  // The address is what counts: back and forward change the editor, too.
  useEffect(() => setDraft(panel.expr), [panel.expr])
  const execute = (expr: string) => {
    setDraft(expr)
    setRun(run + 1)
    if (expr !== panel.expr) onChange({ expr, only: [] })
  }
  const edit = (text: string) => {
    setDraft(text)
    setFormatFault(null)
  }
  const format = () => {
    formatted(draft).then(edit, (fault: unknown) => setFormatFault(fault instanceof Error ? fault : null))
  }
  return (
    <section className="av-panel" aria-label={`Panel ${number}`}>
      <Group gap="xs" align="flex-start" className="av-query">
        <Editor value={draft} label={`Expression of panel ${number}`} onChange={edit} onRun={execute} />
        <Group gap="xs" wrap="nowrap">
          <Button onClick={() => execute(draft)} loading={query.isFetching}>
            Execute
          </Button>
          <Button variant="default" px="sm" onClick={format} disabled={draft.trim() === ''}>
            Format
          </Button>
          <HistoryMenu onPick={execute} />
          {onRemove && (
            <ActionIcon variant="default" size={36} aria-label="Remove panel" title="Remove panel" onClick={onRemove}>
              ×
            </ActionIcon>
          )}
        </Group>
      </Group>
      {formatFault && <Problem title="The expression could not be formatted." error={formatFault} />}
      <Options panel={panel} onChange={onChange} />
      <Tabs value={panel.view} onChange={(view) => onChange({ view: (view ?? 'table') as View })} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="table">Table</Tabs.Tab>
          <Tabs.Tab value="graph">Graph</Tabs.Tab>
          <Tabs.Tab value="explain">Explain</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value={panel.view} pt="sm">
          <Stack gap="sm">
            <TimeControls
              panel={panel}
              ranged={panel.view === 'graph' || (panel.view === 'explain' && !panel.explainInstant)}
              onChange={onChange}
            />
            {panel.view === 'explain' && <ExplainControls panel={panel} onChange={onChange} />}
            {panel.expr.trim() === '' ? (
              <Empty title="What do you want to see?">
                Type an expression: metrics, labels and functions are completed. For a start, up has a series for each
                target.
              </Empty>
            ) : (
              <AnswerOf query={query} panel={panel} onChange={onChange} onRetry={() => execute(panel.expr)} />
            )}
          </Stack>
        </Tabs.Panel>
      </Tabs>
    </section>
  )
}

async function formatted(expr: string): Promise<string> {
  const { data } = await request('api/v1/format_query', { query: expr }, { method: 'POST' })
  return asText(data)
}

interface AnswerOfProps {
  query: ReturnType<typeof useRun>
  panel: Panel
  onChange: PanelCardProps['onChange']
  onRetry: () => void
}

function AnswerOf({ query, panel, onChange, onRetry }: AnswerOfProps) {
  const { data, error, isFetching } = query
  if (error && !isFetching) return <Problem title="The query failed." error={error} onRetry={onRetry} />
  if (data?.view !== panel.view) return <Text role="status">Running the query …</Text>
  return (
    <Stack gap="sm" aria-busy={isFetching} className={isFetching ? 'av-stale' : ''}>
      <Notices lack={data.lack} warnings={data.warnings} infos={data.infos} />
      {panel.view !== 'explain' || panel.analyze ? <StatsLine outcome={data} /> : null}
      <Body outcome={data} panel={panel} onChange={onChange} />
    </Stack>
  )
}

function Body({ outcome, panel, onChange }: { outcome: Outcome; panel: Panel; onChange: PanelCardProps['onChange'] }) {
  const { view, result, grid, plan } = outcome
  if (view === 'explain') return <ExplainView plan={plan} />
  if (!result) return <Text role="alert">The server answered with something else than a result.</Text>
  if (view === 'graph' && grid && 'series' in result) {
    return <GraphView series={result.series} grid={grid} panel={panel} onChange={onChange} />
  }
  return <TableView result={result} />
}
