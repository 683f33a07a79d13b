import { Button, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import { formatDuration, formatInstant, formatResolution, plural } from '../parts/format'
import type { Window } from '../timeline/axis'
import { sourceName } from './describe'
import type { BlockLayout, BlockSource, Fault } from './layout'
import { Badge } from '../parts/Badge'

// What a person reads through; the picture has all.
const MOST_FAULTS = 100

// The overlaps and gaps in words, each with a way to where it is.
export function Faults({ layout, onShow }: { layout: BlockLayout; onShow: (window: Window) => void }) {
  const [open, setOpen] = useState(false)
  const faults = useMemo(() => {
    const all: { source: BlockSource; fault: Fault }[] = []
    for (const source of layout.sources) for (const fault of source.faults) all.push({ source, fault })
    return all
  }, [layout])
  const overlaps = faults.filter(({ fault }) => fault.kind === 'overlap').length
  const gaps = faults.length - overlaps
  if (faults.length === 0) {
    return (
      <Text size="sm" className="av-quiet">
        No overlaps and no gaps.
      </Text>
    )
  }
  return (
    <section aria-label="Overlaps and gaps">
      <Button
        size="compact-sm"
        variant="default"
        aria-expanded={open}
        onClick={() => {
          setOpen(!open)
        }}
      >
        {[overlaps > 0 && plural(overlaps, 'overlap'), gaps > 0 && plural(gaps, 'gap')].filter(Boolean).join(', ')}
      </Button>
      {open && (
        <ul style={{ listStyle: 'none', margin: '8px 0 0', padding: 0, maxHeight: 240, overflowY: 'auto' }}>
          {faults.slice(0, MOST_FAULTS).map(({ source, fault }, index) => (
            <li key={index} style={{ padding: '3px 0' }}>
              <Badge tone={fault.kind === 'overlap' ? 'bad' : 'warn'}>{fault.kind}</Badge>{' '}
              <Text size="sm" component="span" className="av-break">
                {formatDuration(fault.maxMs - fault.minMs)} at {formatInstant(fault.minMs)},{' '}
                {formatResolution(fault.resolutionMs)}, {sourceName(source.labels)}
              </Text>{' '}
              <Button
                size="compact-xs"
                variant="default"
                onClick={() => {
                  onShow(around(fault))
                }}
              >
                Show
              </Button>
            </li>
          ))}
          {faults.length > MOST_FAULTS && <li>and more</li>}
        </ul>
      )}
    </section>
  )
}

function around(fault: Fault): Window {
  const air = Math.max(fault.maxMs - fault.minMs, 3_600_000)
  return { fromMs: fault.minMs - air, toMs: fault.maxMs + air }
}
