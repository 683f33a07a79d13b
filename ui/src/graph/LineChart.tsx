import { useCallback, useMemo } from 'react'
import uPlot from 'uplot'
import { Chart, type ChartSetup } from './Chart'
import { colourOf, fillOf } from './colours'
import type { Cursor } from './cursor'
import type { Style } from './panels'
import { boundsOf, nearest, shortNumber, stackColumns, type Columns } from './plotData'

export interface LineChartProps {
  label: string
  columns: Columns
  // The place of each column among all series of the answer, which chooses its colour.
  places: readonly number[]
  style: Exclude<Style, 'heatmap'>
  cursor: Cursor
  onNearest: (column: number) => void // the line that the pointer is nearest to; -1: none
  onZoom: (fromMs: number, toMs: number) => void
}

export function LineChart({ label, columns, places, style, cursor, onNearest, onZoom }: LineChartProps) {
  const drawn = useMemo(() => (style === 'stacked' ? stackColumns(columns.values) : columns.values), [columns, style])
  const data = useMemo(() => [columns.times, ...drawn] as unknown as uPlot.AlignedData, [columns, drawn])
  const setup = useCallback(
    (dark: boolean): ChartSetup => ({
      series: [{}, ...places.map((place, at) => lineOf(place, style, dark, at === 0))],
      ...(style === 'stacked' && { bands: bandsOf(places, dark) }),
      scales: { x: { time: true, range: wholeRange(columns.times) }, y: { range: () => [...yRange(drawn, style)] } },
      yAxis: { values: (_, ticks) => ticks.map(shortNumber) },
      hooks: {
        setCursor: [
          (chart) => {
            const { idx, top } = chart.cursor
            const step = idx ?? null
            cursor.set(step)
            onNearest(
              step === null || top === undefined || top < 0 ? -1 : nearest(drawn, step, chart.posToVal(top, 'y')),
            )
          },
        ],
      },
    }),
    [columns, drawn, places, style, cursor, onNearest],
  )
  return <Chart label={label} data={data} setup={setup} onZoom={onZoom} />
}

function lineOf(place: number, style: Style, dark: boolean, first: boolean): uPlot.Series {
  return {
    stroke: colourOf(place, dark),
    width: 1.5,
    spanGaps: false,
    pxAlign: 0,
    // What is below the others has nothing else below it.
    ...(style === 'stacked' && first && { fill: fillOf(place, dark), fillTo: 0 }),
    ...(style === 'steps' && uPlot.paths.stepped && { paths: uPlot.paths.stepped({ align: 1 }) }),
    // A sample between two gaps is no line, but is to be seen.
    points: { size: 4 },
  }
}

// The area between each line and the one below it.
function bandsOf(places: readonly number[], dark: boolean): uPlot.Band[] {
  return places.slice(1).map((place, at) => ({ series: [at + 2, at + 1], fill: fillOf(place, dark) }))
}

function wholeRange(times: readonly number[]): () => [number, number] {
  const first = times[0] ?? 0
  const last = times.at(-1) ?? first
  return () => (first < last ? [first, last] : [first - 1, last + 1])
}

function yRange(drawn: Columns['values'], style: Style): readonly [number, number] {
  const [low, high] = boundsOf(drawn)
  return style === 'stacked' ? [Math.min(low, 0), Math.max(high, 0)] : [low, high]
}
