// Runs the query of a panel.
import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { request } from '../answers/request'
import { asObject } from '../answers/values'
import { questionOf, type Grid } from './ask'
import { rememberQuery } from './history'
import { readPlan, type PlanNode } from './plan'
import type { Panel, View } from './panels'
import { readInfos, readLack, readResult, readStatistics, type Lack, type Result, type Statistics } from './result'

export interface Outcome {
  readonly view: View
  readonly grid: Grid | null // of a range
  readonly result: Result | null // of all but a plan alone
  readonly plan: readonly PlanNode[]
  readonly statistics: Statistics | null
  readonly lack: Lack
  readonly warnings: readonly string[]
  readonly infos: readonly string[]
  readonly elapsedMs: number // as the browser sees it
  readonly bytes: number
}

// How long answers that are not seen are kept, for a step back; they can be large.
const KEPT_MS = 30_000

// `run` counts how often it was asked for: another one asks again, at another "now".
export function useRun(panel: Panel, run: number): UseQueryResult<Outcome> {
  const { view } = panel
  // What does not change the question does not ask again.
  const question = questionOf(panel, 0)
  return useQuery<Outcome>({
    queryKey: ['panel', run, panel.endMs === null, question],
    queryFn: ({ signal }) => ask(panel, signal),
    enabled: panel.expr.trim() !== '',
    staleTime: Infinity,
    gcTime: KEPT_MS,
    retry: false,
    // What is seen stays until the next is there, if it is of the same kind.
    placeholderData: (before) => (before?.view === view ? before : undefined),
  })
}

async function ask(panel: Panel, signal: AbortSignal): Promise<Outcome> {
  const { path, params, grid } = questionOf(panel, Date.now())
  const began = performance.now()
  const answer = await request(path, params, { method: 'POST', signal })
  const elapsedMs = performance.now() - began
  rememberQuery(panel.expr)
  const measured = panel.view === 'explain' && panel.analyze
  const plansOnly = panel.view === 'explain' && !panel.analyze
  return {
    view: panel.view,
    grid,
    result: plansOnly ? null : readResult(answer.data),
    plan: plansOnly ? readPlan(answer.data) : measured ? readPlan(asObject(answer.data)['analysis']) : [],
    statistics: readStatistics(answer.data),
    lack: readLack(answer),
    warnings: answer.warnings,
    infos: readInfos(answer),
    elapsedMs,
    bytes: answer.bytes,
  }
}
