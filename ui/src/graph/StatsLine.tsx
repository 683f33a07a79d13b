import { Text } from '@mantine/core'
import { formatBytes, formatCount, plural } from '../parts/format'
import { writeDuration, writeElapsed } from './duration'
import type { Outcome } from './useRun'

// What the answer holds and what it took.
export function StatsLine({ outcome }: { outcome: Outcome }) {
  return (
    <Text size="sm" className="av-quiet" role="status" aria-live="polite">
      {factsOf(outcome).join(' · ')}
    </Text>
  )
}

export function factsOf({ result, statistics, grid, elapsedMs, bytes }: Outcome): string[] {
  const facts: string[] = []
  if (result && 'series' in result) facts.push(`${formatCount(result.series.length)} series`)
  if (grid && result) facts.push(`a point each ${writeDuration(grid.stepMs)}`)
  if (statistics?.samples != null) facts.push(`${plural(statistics.samples, 'sample')} read`)
  if (statistics?.peakSamples != null) facts.push(`at most ${formatCount(statistics.peakSamples)} at once`)
  if (statistics?.evalMs != null) facts.push(`evaluated in ${writeElapsed(statistics.evalMs)}`)
  if (statistics?.queueMs != null && statistics.queueMs >= 1) facts.push(`waited ${writeElapsed(statistics.queueMs)}`)
  facts.push(`answered in ${writeElapsed(elapsedMs)}`, formatBytes(bytes))
  return facts
}
