import { Text } from '@mantine/core'
import { useMemo } from 'react'
import type { Block } from '../answers/blocks'
import { Badge } from '../parts/Badge'
import { formatBytes, formatCount, formatDuration, formatInstant, formatResolution } from '../parts/format'
import { LabelSet } from '../parts/LabelSet'
import { VirtualList } from '../parts/VirtualList'
import type { BlockLayout } from './layout'
import './blocks.css'

export interface BlockListProps {
  blocks: readonly Block[]
  layout: BlockLayout
  onOpen: (ulid: string) => void
  onPick: (condition: string) => void
}

// The blocks one below the other, the newest first: for who can't see the picture, or looks for one.
export function BlockList({ blocks, layout, onOpen, onPick }: BlockListProps) {
  const sorted = useMemo(() => [...blocks].sort((a, b) => b.maxMs - a.maxMs || b.minMs - a.minMs), [blocks])
  return (
    <VirtualList
      items={sorted}
      label="Blocks"
      keyOf={(block) => block.ulid}
      rowHeight={64}
      grows
      height="max(320px, calc(100dvh - 420px))"
      render={(block) => (
        <div className="av-block-row">
          <div>
            <button
              type="button"
              className="av-label"
              onClick={() => {
                onOpen(block.ulid)
              }}
            >
              {block.ulid}
            </button>{' '}
            {layout.overlapping.has(block) && <Badge tone="bad">overlap</Badge>}
            {layout.superseded.has(block) && <Badge tone="note">in a larger one</Badge>}
            <Text size="sm" className="av-quiet">
              {formatInstant(block.minMs)} to {formatInstant(block.maxMs)}, {formatDuration(block.maxMs - block.minMs)}
            </Text>
          </div>
          <LabelSet labels={block.labels} onPick={onPick} />
          <Text size="sm">
            level {block.level}, {formatResolution(block.resolutionMs)}, {formatBytes(block.bytes)},{' '}
            {formatCount(block.series)} series
          </Text>
        </div>
      )}
    />
  )
}
