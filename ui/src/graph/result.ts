// Answers to queries: series with their samples, what is missing, and what it took.
import type { Answer } from '../answers/request'
import {
  asArray,
  asLabels,
  asNumber,
  asObject,
  asObjects,
  asText,
  asTexts,
  asTimeMs,
  type Labels,
} from '../answers/values'

// The bounds of a bucket, and how many observations are in it.
export interface Bucket {
  readonly low: number
  readonly high: number
  readonly rule: number // 0: (low, high], 1: [low, high), 2: (low, high), 3: [low, high]
  readonly count: number
}

export interface Histogram {
  readonly count: number
  readonly sum: number
  readonly buckets: readonly Bucket[]
}

// Samples are kept as they come, [seconds, "value"]: an answer may have millions.
export type RawSample = readonly [number, string]

export interface Series {
  readonly labels: Labels
  readonly name: string // the labels as PromQL writes them; tells the series of an answer apart
  readonly samples: readonly RawSample[]
  readonly histograms: readonly (readonly [number, Histogram])[]
}

export type Result =
  | { readonly kind: 'vector' | 'matrix'; readonly series: readonly Series[] }
  | { readonly kind: 'scalar' | 'string'; readonly sample: RawSample }

// A part of the answer that a store has and did not give.
export interface MissingPart {
  readonly endpoint: string
  readonly labels: readonly Labels[]
  readonly minMs: number | null
  readonly maxMs: number | null
  readonly error: string
  readonly answeredBy: string // "" when nobody has its data
}

export interface Lack {
  readonly parts: readonly MissingPart[]
  readonly complete: boolean // each part has an answeredBy
}

export interface Statistics {
  readonly samples: number | null
  readonly peakSamples: number | null
  readonly totalMs: number | null
  readonly evalMs: number | null
  readonly queueMs: number | null
}

export function readLack(answer: Answer): Lack {
  const parts = asObjects(answer.envelope['missing']).map((part) => ({
    endpoint: asText(part['endpoint']),
    labels: asObjects(part['labels']).map(asLabels),
    minMs: asTimeMs(part['minTime']),
    maxMs: asTimeMs(part['maxTime']),
    error: asText(part['error']),
    answeredBy: asText(part['answeredBy']),
  }))
  return { parts, complete: answer.envelope['complete'] === true }
}

export function readInfos(answer: Answer): string[] {
  return asTexts(answer.envelope['infos'])
}

export function readStatistics(data: unknown): Statistics | null {
  const stats = asObject(asObject(data)['stats'])
  if (Object.keys(stats).length === 0) return null
  const samples = asObject(stats['samples'])
  const timings = asObject(stats['timings'])
  const number = (value: unknown, factor = 1) => {
    const known = asNumber(value, NaN)
    return Number.isNaN(known) ? null : known * factor
  }
  return {
    samples: number(samples['totalQueryableSamples']),
    peakSamples: number(samples['peakSamples']),
    totalMs: number(timings['execTotalTime'], 1000),
    evalMs: number(timings['evalTotalTime'], 1000),
    queueMs: number(timings['execQueueTime'], 1000),
  }
}

// Null when it is no answer to a query.
export function readResult(data: unknown): Result | null {
  const { resultType, result } = asObject(data)
  switch (resultType) {
    case 'vector':
      return { kind: 'vector', series: asObjects(result).map((item) => readSeries(item, 'value', 'histogram', true)) }
    case 'matrix':
      return {
        kind: 'matrix',
        series: asObjects(result).map((item) => readSeries(item, 'values', 'histograms', false)),
      }
    case 'scalar':
    case 'string': {
      const [time, value] = asArray(result)
      return { kind: resultType, sample: [asNumber(time), asText(value)] }
    }
    default:
      return null
  }
}

function readSeries(item: Readonly<Record<string, unknown>>, values: string, histograms: string, one: boolean): Series {
  const list = (value: unknown) => (one ? (value === undefined ? [] : [value]) : asArray(value)).filter(isPair)
  const labels = asLabels(item['metric'])
  return {
    labels,
    name: writeSeries(labels),
    samples: list(item[values]) as unknown as RawSample[],
    histograms: list(item[histograms]).map(([time, value]) => [time, readHistogram(value)] as const),
  }
}

function isPair(value: unknown): value is [number, unknown] {
  return Array.isArray(value) && typeof value[0] === 'number' && value.length === 2
}

function readHistogram(value: unknown): Histogram {
  const histogram = asObject(value)
  return {
    count: asFloat(histogram['count']),
    sum: asFloat(histogram['sum']),
    buckets: asArray(histogram['buckets'])
      .map(asArray)
      .filter((bucket) => bucket.length === 4)
      .map(([rule, low, high, count]) => ({
        rule: asNumber(rule),
        low: asFloat(low),
        high: asFloat(high),
        count: asFloat(count),
      })),
  }
}

// A value of PromQL: "NaN", "+Inf" and "-Inf" are some, too.
export function asFloat(value: unknown): number {
  if (value === '+Inf') return Infinity
  if (value === '-Inf') return -Infinity
  return asNumber(value, NaN)
}

const PLAIN_METRIC = /^[A-Za-z_:][A-Za-z0-9_:]*$/
const PLAIN_LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/

// up{job="a", instance="b"}. Only what ends a text is written otherwise.
export function writeSeries(labels: Labels): string {
  const metric = labels['__name__'] ?? ''
  const plain = metric === '' || PLAIN_METRIC.test(metric)
  const inner = plain ? [] : [JSON.stringify(metric)]
  for (const [name, value] of Object.entries(labels)) {
    if (name !== '__name__') inner.push(`${PLAIN_LABEL.test(name) ? name : escaped(name)}=${escaped(value)}`)
  }
  if (inner.length === 0) return plain && metric !== '' ? metric : '{}'
  return `${plain ? metric : ''}{${inner.join(', ')}}`
}

function escaped(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`
}

export function writeBucket({ low, high, rule }: Omit<Bucket, 'count'>): string {
  return `${rule === 1 || rule === 3 ? '[' : '('}${writeNumber(low)}, ${writeNumber(high)}${rule === 0 || rule === 3 ? ']' : ')'}`
}

// A number as PromQL writes it.
export function writeNumber(value: number): string {
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
