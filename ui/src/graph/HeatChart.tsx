import { Text } from '@mantine/core'
import { useCallback, useMemo, useState } from 'react'
import type uPlot from 'uplot'
import { formatInstant } from '../parts/format'
import type { Grid } from './ask'
import { Chart, type ChartSetup } from './Chart'
import { strength, type Cell, type HeatMap } from './heatMap'
import { shortNumber } from './plotData'
import { writeBucket } from './result'

export interface HeatChartProps {
  label: string
  map: HeatMap
  grid: Grid
  onZoom: (fromMs: number, toMs: number) => void
}

// Buckets as rows, steps as columns; the stronger the colour, the more observations.
export function HeatChart({ label, map, grid, onZoom }: HeatChartProps) {
  const [shown, setShown] = useState<Cell | null>(null)
  const data = useMemo(() => {
    const count = Math.floor((grid.endMs - grid.startMs) / grid.stepMs) + 1
    const times = Array.from({ length: count }, (_, step) => (grid.startMs + step * grid.stepMs) / 1000)
    return [times, times.map(() => null)] as unknown as uPlot.AlignedData
  }, [grid])
  const setup = useCallback(
    (dark: boolean): ChartSetup => ({
      series: [{}, { stroke: 'transparent' }],
      scales: {
        x: { time: true, range: () => [(grid.startMs - grid.stepMs) / 1000, grid.endMs / 1000] },
        y: { range: () => [0, Math.max(map.bounds.length - 1, 1)] },
      },
      yAxis: {
        // Ticks are positions among the bounds.
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500],
        values: (_, ticks) => ticks.map((tick) => nameOf(map.bounds[tick])),
      },
      hooks: {
        draw: [(chart) => drawCells(chart, map, grid, dark)],
        setCursor: [
          (chart) => {
            const { left = -1, top = -1 } = chart.cursor
            if (left < 0 || top < 0) return setShown(null)
            const step = Math.ceil((chart.posToVal(left, 'x') * 1000 - grid.startMs) / grid.stepMs)
            setShown(cellAt(map, step, chart.posToVal(top, 'y')))
          },
        ],
      },
    }),
    [map, grid],
  )
  return (
    <>
      <Chart label={label} data={data} setup={setup} onZoom={onZoom} />
      <Text size="sm" className="av-quiet" mih={22}>
        {shown ? describe(shown, map, grid) : 'Point at a cell for its bucket and count.'}
      </Text>
    </>
  )
}

function nameOf(bound: number | undefined): string {
  if (bound === undefined) return ''
  return Number.isFinite(bound) ? shortNumber(Number(bound.toPrecision(3))) : bound > 0 ? '+Inf' : '-Inf'
}

function cellAt(map: HeatMap, step: number, height: number): Cell | null {
  return map.cells.find((cell) => cell.step === step && cell.low <= height && height < cell.high) ?? null
}

function describe({ step, low, high, count }: Cell, { bounds }: HeatMap, grid: Grid): string {
  const bucket = writeBucket({ low: bounds[low] ?? NaN, high: bounds[high] ?? NaN, rule: 0 })
  return `${formatInstant(grid.startMs + step * grid.stepMs)} UTC: ${shortNumber(count)} in ${bucket}`
}

function drawCells(chart: uPlot, map: HeatMap, grid: Grid, dark: boolean): void {
  const { ctx } = chart
  ctx.save()
  ctx.fillStyle = dark ? 'hsl(205 85% 62%)' : 'hsl(212 85% 38%)'
  for (const { step, low, high, count } of map.cells) {
    // A cell ends at its step, as its observations do.
    const left = chart.valToPos((grid.startMs + (step - 1) * grid.stepMs) / 1000, 'x', true)
    const right = chart.valToPos((grid.startMs + step * grid.stepMs) / 1000, 'x', true)
    const top = chart.valToPos(high, 'y', true)
    const bottom = chart.valToPos(low, 'y', true)
    ctx.globalAlpha = strength(count, map.most)
    ctx.fillRect(Math.floor(left), Math.floor(top), Math.ceil(right - left), Math.ceil(bottom - top))
  }
  ctx.restore()
}
