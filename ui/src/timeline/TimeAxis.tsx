import { positionOf, ticks, type Window } from './axis'
import './timeline.css'

// The ticks of a time axis, for the eye; what the axis shows is said beside it.
export function TimeAxis({ window, most = 6 }: { window: Window; most?: number }) {
  return (
    <div className="av-axis" aria-hidden="true">
      {ticks(window, most).map((tick) => {
        const position = positionOf(window, tick.ms)
        // At the edges the text turns inward, so that it is not cut.
        const shift = position < 0.06 ? 0 : position > 0.94 ? -100 : -50
        return (
          <span key={tick.ms} className="av-tick" style={{ left: percent(position) }}>
            <span style={{ transform: `translateX(${String(shift)}%)` }}>{tick.label}</span>
          </span>
        )
      })}
    </div>
  )
}

export interface RangeBarProps {
  window: Window
  minMs: number | null // null: without a bound
  maxMs: number | null
  label: string // in words
}

// One range of time on the axis above it.
export function RangeBar({ window, minMs, maxMs, label }: RangeBarProps) {
  const from = Math.min(Math.max(minMs === null ? 0 : positionOf(window, minMs), 0), 1)
  const to = Math.min(Math.max(maxMs === null ? 1 : positionOf(window, maxMs), from), 1)
  return (
    <div className="av-range" role="img" aria-label={label} title={label}>
      <div
        className="av-range-bar"
        data-open={maxMs === null}
        style={{ left: percent(from), width: `max(3px, ${percent(to - from)})` }}
      />
    </div>
  )
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(3)}%`
}
