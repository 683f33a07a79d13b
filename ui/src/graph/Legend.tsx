import { useComputedColorScheme } from '@mantine/core'
import { VirtualList } from '../parts/VirtualList'
import { colourOf } from './colours'
import { useCursor, type Cursor } from './cursor'
import type { Column } from './plotData'
import { shortNumber } from './plotData'

export interface LegendEntry {
  readonly name: string
  readonly place: number // among the series of the answer
  readonly drawn: boolean
  readonly column: Column
}

export interface LegendProps {
  entries: readonly LegendEntry[]
  cursor: Cursor
  nearest: string | null // the name of the series at the pointer
  // `add`: besides those that are drawn, in place of them otherwise.
  onPick: (name: string, add: boolean) => void
}

const ROW_HEIGHT = 28
const MOST_ROWS = 10

// The series with their values at the pointer, or the last ones. A click leaves only one.
export function Legend({ entries, cursor, nearest, onPick }: LegendProps) {
  const dark = useComputedColorScheme('light') === 'dark'
  return (
    <VirtualList
      items={entries}
      label="Series. A click draws one alone, with Shift or Control it is added or taken away."
      keyOf={({ place }) => String(place)}
      rowHeight={ROW_HEIGHT}
      height={Math.min(Math.max(entries.length, 1), MOST_ROWS) * ROW_HEIGHT}
      render={({ name, place, drawn, column }) => (
        <button
          type="button"
          className="av-legend"
          aria-pressed={drawn}
          data-nearest={name === nearest}
          title={name}
          onClick={(event) => onPick(name, event.shiftKey || event.ctrlKey || event.metaKey)}
        >
          <span className="av-swatch" style={{ background: drawn ? colourOf(place, dark) : 'transparent' }} />
          <span className="av-legend-name">{name}</span>
          <ValueAt column={column} cursor={cursor} />
        </button>
      )}
    />
  )
}

function ValueAt({ column, cursor }: { column: Column; cursor: Cursor }) {
  const step = useCursor(cursor)
  const value = step === null ? column.findLast((one) => one !== null) : column[step]
  return <span className="av-legend-value">{value == null ? '–' : shortNumber(value)}</span>
}

// The names that are drawn after a click; none means all.
export function pickSeries(only: readonly string[], name: string, add: boolean, all: readonly string[]): string[] {
  if (!add) return only.length === 1 && only[0] === name ? [] : [name]
  const before = only.length === 0 ? all : only
  const after = before.includes(name) ? before.filter((other) => other !== name) : [...before, name]
  return after.length === all.length ? [] : after
}
