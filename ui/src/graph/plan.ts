// Plans of queries: what the engine does, and with "analyze" how long each part took.
import { asNumber, asObject, asObjects, asText, isObject } from '../answers/values'
import { parseGoDuration } from './duration'

export interface FanOut {
  readonly endpoint: string
  readonly elapsedMs: number | null
  readonly bytes: number
  readonly series: number
  readonly chunks: number
  readonly samples: number
}

export interface PlanNode {
  readonly id: string // its place in the tree: "0.1.0"
  readonly depth: number
  readonly name: string
  readonly elapsedMs: number | null // with what is below it; null: not measured
  readonly ownMs: number | null // without it
  readonly peakSamples: number
  readonly totalSamples: number
  readonly series: number
  readonly fanOut: readonly FanOut[]
  readonly hasChildren: boolean
}

// A plan is as deep as the expression; what is deeper than any of those is not shown.
const DEEPEST = 500

// All nodes, each before what is below it; none for what is no plan.
export function readPlan(data: unknown): PlanNode[] {
  const nodes: PlanNode[] = []
  if (isObject(data) && typeof data['name'] === 'string') appendNode(data, '0', 0, nodes)
  return nodes
}

function appendNode(value: unknown, id: string, depth: number, nodes: PlanNode[]): number {
  const node = asObject(value)
  const children = depth < DEEPEST ? asObjects(node['children']) : []
  const elapsedMs = parseGoDuration(asText(node['executionTime']))
  const place = nodes.length
  nodes.push({
    id,
    depth,
    name: asText(node['name']),
    elapsedMs,
    ownMs: elapsedMs,
    peakSamples: asNumber(node['peakSamples']),
    totalSamples: asNumber(node['totalSamples']),
    series: asNumber(node['series']),
    fanOut: asObjects(node['fanout']).map(readFanOut),
    hasChildren: children.length > 0,
  })
  let below = 0
  children.forEach((child, at) => (below += appendNode(child, `${id}.${at}`, depth + 1, nodes)))
  const own = nodes[place]
  if (own && elapsedMs !== null) nodes[place] = { ...own, ownMs: Math.max(elapsedMs - below, 0) }
  return elapsedMs ?? 0
}

function readFanOut(entry: Readonly<Record<string, unknown>>): FanOut {
  return {
    endpoint: asText(entry['endpointAddr']),
    elapsedMs: parseGoDuration(asText(entry['duration'])),
    bytes: asNumber(entry['bytesProcessed']),
    series: asNumber(entry['series']),
    chunks: asNumber(entry['chunks']),
    samples: asNumber(entry['samples']),
  }
}
