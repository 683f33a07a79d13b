// A chart of uPlot in React: its size, its colours, zoom by dragging.
import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

const HEIGHT = 360

// A drag of fewer pixels is a click.
const SHORTEST_DRAG = 4

// How times are written, by the distance of the ticks in seconds: usually, and below where a day begins.
const TIMES: (string | number | null)[][] = [
  [86_400, '{YYYY}-{MM}-{DD}', null, null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{YYYY}-{MM}-{DD}', null, '\n{YYYY}-{MM}-{DD}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{YYYY}-{MM}-{DD}', null, '\n{YYYY}-{MM}-{DD}', null, null, null, 1],
  [0.001, ':{ss}.{fff}', '\n{YYYY}-{MM}-{DD} {HH}:{mm}', null, null, null, '\n{HH}:{mm}', null, 1],
]

export type ChartSetup = Pick<uPlot.Options, 'series' | 'bands' | 'scales' | 'hooks' | 'cursor'> & {
  yAxis?: uPlot.Axis
}

export interface ChartProps {
  label: string // what it shows, for those who do not see it
  data: uPlot.AlignedData
  setup: (dark: boolean) => ChartSetup // stays the same while the chart does
  onZoom: (fromMs: number, toMs: number) => void
}

export function Chart({ label, data, setup, onZoom }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const dark = useComputedColorScheme('light') === 'dark'
  const zoom = useRef(onZoom)
  useEffect(() => {
    zoom.current = onZoom
  })
  useEffect(() => {
    const target = place.current
    if (!target) return
    const options = optionsOf(setup(dark), dark, target.clientWidth, (from, to) => zoom.current(from, to))
    const chart = new uPlot(options, data, target)
    const observer = new ResizeObserver(() => {
      if (target.clientWidth > 0 && target.clientWidth !== chart.width) {
        chart.setSize({ width: target.clientWidth, height: HEIGHT })
      }
    })
    observer.observe(target)
    return () => {
      observer.disconnect()
      chart.destroy()
    }
  }, [data, setup, dark])
  return <div ref={place} className="av-chart" role="img" aria-label={label} style={{ minHeight: HEIGHT }} />
}

function optionsOf(
  { yAxis, hooks, cursor, ...setup }: ChartSetup,
  dark: boolean,
  width: number,
  onZoom: (fromMs: number, toMs: number) => void,
): uPlot.Options {
  const stroke = dark ? '#c9ced6' : '#495057'
  const grid = { stroke: dark ? '#343a41' : '#e3e6ea', width: 1 }
  return {
    width: Math.max(width, 200),
    height: HEIGHT,
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), 'Etc/UTC'),
    legend: { show: false },
    axes: [
      { stroke, grid, ticks: grid, values: TIMES },
      { stroke, grid, ticks: grid, size: 70, ...yAxis },
    ],
    ...setup,
    cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, ...cursor },
    hooks: {
      ...hooks,
      setSelect: [
        (chart) => {
          const { left, width: wide } = chart.select
          if (wide < SHORTEST_DRAG) return
          onZoom(chart.posToVal(left, 'x') * 1000, chart.posToVal(left + wide, 'x') * 1000)
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
    },
  }
}
