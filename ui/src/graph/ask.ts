// What a panel asks the API.
import type { Params } from '../answers/request'
import { quote } from '../parts/promql'
import type { Panel } from './panels'

export interface Grid {
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
}

// Points of a graph when the step is chosen for it, and the most that the API gives.
const POINTS = 250
export const MOST_POINTS = 11_000

// The steps of a range query. A step that is too fine for the range is made as fine as it can be.
export function gridOf(panel: Panel, nowMs: number): Grid {
  const endMs = panel.endMs ?? nowMs
  const finest = Math.ceil(panel.rangeMs / MOST_POINTS)
  const stepMs = panel.stepMs ?? Math.max(Math.floor(panel.rangeMs / POINTS / 1000) * 1000, 1000)
  return { startMs: endMs - panel.rangeMs, endMs, stepMs: Math.max(stepMs, finest) }
}

export interface Question {
  readonly path: string
  readonly params: Params
  readonly grid: Grid | null // of questions about a range
}

export function questionOf(panel: Panel, nowMs: number): Question {
  const instant = panel.view === 'table' || (panel.view === 'explain' && panel.explainInstant)
  const explains = panel.view === 'explain' && !panel.analyze
  const suffix = explains ? '_explain' : ''
  const common: Params = {
    query: panel.expr,
    dedup: String(panel.dedup),
    partial_response: panel.partialResponse === null ? undefined : String(panel.partialResponse),
    'replicaLabels[]': panel.replicaLabels?.length === 0 ? [''] : (panel.replicaLabels ?? undefined),
    engine: panel.engine || undefined,
    max_source_resolution: panel.maxSourceResolution || undefined,
    'storeMatch[]': panel.stores.map((address) => `{__address__=${quote(address)}}`),
    analyze: panel.view === 'explain' && panel.analyze ? 'true' : undefined,
    stats: explains ? undefined : panel.view === 'explain' ? 'all' : 'true',
  }
  if (instant) {
    const time = seconds(panel.endMs ?? nowMs)
    return { path: `api/v1/query${suffix}`, params: { ...common, time }, grid: null }
  }
  const grid = gridOf(panel, nowMs)
  return {
    path: `api/v1/query_range${suffix}`,
    params: { ...common, start: seconds(grid.startMs), end: seconds(grid.endMs), step: seconds(grid.stepMs) },
    grid,
  }
}

function seconds(ms: number): string {
  return String(ms / 1000)
}
