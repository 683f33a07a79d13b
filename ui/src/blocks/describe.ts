// Blocks in words.
import type { Block, MarkKind } from '../answers/blocks'
import type { Labels } from '../answers/values'
import { formatBytes, formatDuration, formatInstant, formatResolution } from '../parts/format'
import { quote } from '../parts/promql'
import type { BlockLayout } from './layout'

// The external labels that make a source.
export function sourceName(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${quote(value)}`)
  return pairs.length === 0 ? '(no labels)' : pairs.join(', ')
}

// One line for screen readers and pointers.
export function describeBlock(block: Block, layout: BlockLayout): string {
  const parts = [
    `Block ${block.ulid}`,
    `${formatInstant(block.minMs)} to ${formatInstant(block.maxMs)} (${formatDuration(block.maxMs - block.minMs)})`,
    `level ${String(block.level)}`,
    formatResolution(block.resolutionMs),
    formatBytes(block.bytes),
    sourceName(block.labels),
  ]
  if (layout.overlapping.has(block)) parts.push('overlaps another block of its stream')
  if (layout.superseded.has(block)) parts.push('its data is in a larger block too')
  return parts.join(', ')
}

export const MARK_NAMES: Record<MarkKind, string> = {
  deletion: 'to be deleted',
  'no-compact': 'not to be compacted',
  'no-downsample': 'not to be downsampled',
}
