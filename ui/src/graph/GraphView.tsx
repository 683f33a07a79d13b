import { Group, SegmentedControl, Text, TextInput } from '@mantine/core'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { formatCount, formatInstant } from '../parts/format'
import { Empty } from '../parts/Page'
import type { Grid } from './ask'
import { Cursor, useCursor } from './cursor'
import { HeatChart } from './HeatChart'
import { hasHistograms, makeHeatMap } from './heatMap'
import { Legend, pickSeries, type LegendEntry } from './Legend'
import { LineChart } from './LineChart'
import type { Panel, Style } from './panels'
import { makeColumns, shortNumber, type Columns } from './plotData'
import type { Series } from './result'
import { NoSeries } from './TableView'

// More lines than these nobody can tell apart, and browsers become slow.
const MOST_LINES = 1000

export interface GraphViewProps {
  series: readonly Series[]
  grid: Grid
  panel: Panel
  // `replace`: without an entry in the browser's history.
  onChange: (change: Partial<Panel>, replace?: boolean) => void
}

export function GraphView({ series, grid, panel, onChange }: GraphViewProps) {
  const histograms = useMemo(() => hasHistograms(series), [series])
  // Native histograms have no line.
  const onlyHistograms = histograms && series.every(({ samples }) => samples.length === 0)
  const style: Style = onlyHistograms ? 'heatmap' : panel.style
  const latest = useRef(onChange)
  useEffect(() => {
    latest.current = onChange
  })
  const zoom = useCallback((fromMs: number, toMs: number) => latest.current(zoomTo(fromMs, toMs)), [])
  if (series.length === 0) return <NoSeries />
  return (
    <>
      <Group gap="sm">
        <SegmentedControl
          size="xs"
          aria-label="Style of the graph"
          value={style}
          onChange={(value) => onChange({ style: value as Style })}
          data={[
            { value: 'lines', label: 'Lines', disabled: onlyHistograms },
            { value: 'steps', label: 'Steps', disabled: onlyHistograms },
            { value: 'stacked', label: 'Stacked', disabled: onlyHistograms },
            { value: 'heatmap', label: 'Heat map', disabled: !histograms && style !== 'heatmap' },
          ]}
        />
        <Text size="xs" className="av-quiet">
          Times are UTC. Drag over the graph to zoom.
        </Text>
      </Group>
      {style === 'heatmap' ? (
        <Heat series={series} grid={grid} expr={panel.expr} onZoom={zoom} />
      ) : (
        <Lines series={series} grid={grid} panel={panel} style={style} onChange={onChange} onZoom={zoom} />
      )}
    </>
  )
}

// A zoom to seconds where it is long enough.
export function zoomTo(fromMs: number, toMs: number): Partial<Panel> {
  const unit = toMs - fromMs >= 10_000 ? 1000 : 1
  const endMs = Math.round(toMs / unit) * unit
  const startMs = Math.round(fromMs / unit) * unit
  return { rangeMs: Math.max(endMs - startMs, 1), endMs }
}

type OnZoom = (fromMs: number, toMs: number) => void

function Heat({ series, grid, expr, onZoom }: { series: readonly Series[]; grid: Grid; expr: string; onZoom: OnZoom }) {
  const map = useMemo(() => makeHeatMap(series, grid), [series, grid])
  if (!map) {
    return (
      <Empty title="There are no histograms in this answer.">
        A heat map shows native histograms, or buckets with a label le: sum by (le) (rate(x_bucket[5m])).
      </Empty>
    )
  }
  return <HeatChart label={`Heat map of ${expr}`} map={map} grid={grid} onZoom={onZoom} />
}

interface LinesProps extends GraphViewProps {
  style: Exclude<Style, 'heatmap'>
  onZoom: OnZoom
}

function Lines({ series, grid, panel, style, onChange, onZoom }: LinesProps) {
  const [cursor] = useState(() => new Cursor())
  const [near, setNear] = useState(-1)
  const [filter, setFilter] = useFilter(panel.legend, (legend) => onChange({ legend }, true))
  const columns = useMemo(() => makeColumns(series, grid), [series, grid])
  const entries = useMemo(() => entriesOf(series, columns, filter, panel.only), [series, columns, filter, panel.only])
  const drawn = useMemo(() => entries.filter((entry) => entry.drawn).slice(0, MOST_LINES), [entries])
  const shown = useMemo<Columns>(
    () => ({ times: columns.times, values: drawn.map(({ column }) => column) }),
    [columns, drawn],
  )
  const places = useMemo(() => drawn.map(({ place }) => place), [drawn])
  const nearest = drawn[near]
  return (
    <>
      <LineChart
        label={`Graph of ${panel.expr}: ${formatCount(drawn.length)} series. The legend below has the values.`}
        columns={shown}
        places={places}
        style={style}
        cursor={cursor}
        onNearest={setNear}
        onZoom={onZoom}
      />
      <Reading times={columns.times} cursor={cursor} nearest={nearest} />
      <Group gap="sm" align="flex-end">
        <TextInput
          size="xs"
          label="Filter the series"
          placeholder='words, such as job="a"'
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
          style={{ flex: '1 1 200px' }}
        />
        <Text size="sm" className="av-quiet">
          {drawn.length === series.length
            ? 'all are drawn'
            : `${formatCount(drawn.length)} of ${formatCount(series.length)} are drawn`}
        </Text>
      </Group>
      <Legend
        entries={entries}
        cursor={cursor}
        nearest={nearest?.name ?? null}
        onPick={(name, add) =>
          onChange({
            only: pickSeries(
              panel.only,
              name,
              add,
              entries.map((entry) => entry.name),
            ),
          })
        }
      />
    </>
  )
}

// How long typing may pause before the address follows it.
const PAUSE_MS = 300

// The filter as it is typed; the address has it a little later.
function useFilter(value: string, onChange: (text: string) => void) {
  const [text, setText] = useState(value)
  const latest = useRef(onChange)
  useEffect(() => {
    latest.current = onChange
  })
  useEffect(() => setText(value), [value])
  useEffect(() => {
    if (text === value) return
    const timer = setTimeout(() => latest.current(text), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [text, value])
  return [text, setText] as const
}

// The series that match the filter.
export function entriesOf(
  series: readonly Series[],
  columns: Columns,
  filter: string,
  only: readonly string[],
): LegendEntry[] {
  const words = filter.toLowerCase().split(/\s+/)
  const chosen = new Set(only)
  const entries: LegendEntry[] = []
  series.forEach(({ name }, place) => {
    const lower = name.toLowerCase()
    if (!words.every((word) => lower.includes(word))) return
    entries.push({ name, place, drawn: true, column: columns.values[place] ?? [] })
  })
  // Names that are no longer there choose nothing.
  const anyChosen = entries.some(({ name }) => chosen.has(name))
  return anyChosen ? entries.map((entry) => ({ ...entry, drawn: chosen.has(entry.name) })) : entries
}

// The time at the pointer, and the series that is nearest to it.
function Reading({
  times,
  cursor,
  nearest,
}: {
  times: readonly number[]
  cursor: Cursor
  nearest: LegendEntry | undefined
}) {
  const step = useCursor(cursor)
  const time = step === null ? undefined : times[step]
  const value = step === null ? undefined : nearest?.column[step]
  return (
    <Text size="sm" className="av-reading">
      {time === undefined
        ? 'Point at the graph for the values of a time.'
        : `${formatInstant(time * 1000)} UTC${nearest && value != null ? `: ${shortNumber(value)} ${nearest.name}` : ''}`}
    </Text>
  )
}
