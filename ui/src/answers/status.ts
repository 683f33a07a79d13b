// /api/v1/status/*: what a component tells of itself.
import { asInstantMs, asLabels, asNumber, asObject, asObjects, asText, asTimeMs } from './values'

export interface BuildInfo {
  readonly version: string
  readonly revision: string
  readonly branch: string
  readonly buildUser: string
  readonly buildDate: string
  readonly goVersion: string // "": not a program of Go
}

export function parseBuildInfo(data: unknown): BuildInfo {
  const info = asObject(data)
  return {
    version: asText(info['version']),
    revision: asText(info['revision']),
    branch: asText(info['branch']),
    buildUser: asText(info['buildUser']),
    buildDate: asText(info['buildDate']),
    goVersion: asText(info['goVersion']),
  }
}

export interface RuntimeInfo {
  readonly startedMs: number | null
  readonly directory: string
  readonly processors: number // 0: unknown
}

export function parseRuntimeInfo(data: unknown): RuntimeInfo {
  const info = asObject(data)
  return {
    startedMs: asInstantMs(info['startTime']),
    directory: asText(info['CWD']),
    processors: asNumber(info['GOMAXPROCS']),
  }
}

export interface Flag {
  readonly name: string
  readonly value: string
}

// Sorted by name.
export function parseFlags(data: unknown): Flag[] {
  return Object.entries(asLabels(data)).map(([name, value]) => ({ name, value }))
}

export interface Statistic {
  readonly name: string
  readonly value: number
}

export interface TsdbStatus {
  readonly series: number
  readonly labelPairs: number
  readonly chunks: number
  readonly minMs: number | null
  readonly maxMs: number | null
  readonly seriesByMetric: readonly Statistic[]
  readonly valuesByLabel: readonly Statistic[]
  readonly bytesByLabel: readonly Statistic[]
  readonly seriesByPair: readonly Statistic[] // names as "job=node"
}

export function parseTsdbStatus(data: unknown): TsdbStatus {
  const answer = asObject(data)
  const head = asObject(answer['headStats'])
  return {
    series: asNumber(head['numSeries']),
    labelPairs: asNumber(head['numLabelPairs']),
    chunks: asNumber(head['chunkCount']),
    minMs: asTimeMs(head['minTime']),
    maxMs: asTimeMs(head['maxTime']),
    seriesByMetric: parseStatistics(answer['seriesCountByMetricName']),
    valuesByLabel: parseStatistics(answer['labelValueCountByLabelName']),
    bytesByLabel: parseStatistics(answer['memoryInBytesByLabelName']),
    seriesByPair: parseStatistics(answer['seriesCountByLabelValuePair']),
  }
}

function parseStatistics(value: unknown): Statistic[] {
  return asObjects(value).map((item) => ({
    name: asText(item['name']),
    value: asNumber(item['value']),
  }))
}
