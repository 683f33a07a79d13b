// /api/v1/targets: what the Prometheus servers behind a querier scrape.
import { asInstantMs, asLabels, asNumber, asObject, asObjects, asText, type Labels } from './values'

export type TargetHealth = 'up' | 'down' | 'unknown'

export interface Target {
  readonly pool: string
  readonly labels: Labels
  readonly discoveredLabels: Labels
  readonly url: string
  readonly health: TargetHealth
  readonly lastError: string // "": none
  readonly lastScrapeMs: number | null
  readonly lastScrapeSeconds: number
}

export interface Targets {
  readonly active: readonly Target[]
  readonly dropped: readonly Labels[] // their discovered labels
}

export function parseTargets(data: unknown): Targets {
  const answer = asObject(data)
  return {
    active: asObjects(answer['activeTargets']).map((target) => ({
      pool: asText(target['scrapePool']),
      labels: asLabels(target['labels']),
      discoveredLabels: asLabels(target['discoveredLabels']),
      // The one that others than the Prometheus itself can reach.
      url: asText(target['globalUrl']) || asText(target['scrapeUrl']),
      health: parseHealth(target['health']),
      lastError: asText(target['lastError']),
      lastScrapeMs: asInstantMs(target['lastScrape']),
      lastScrapeSeconds: asNumber(target['lastScrapeDuration']),
    })),
    dropped: asObjects(answer['droppedTargets']).map((target) => asLabels(target['discoveredLabels'])),
  }
}

function parseHealth(value: unknown): TargetHealth {
  const health = asText(value).toLowerCase()
  return health === 'up' || health === 'down' ? health : 'unknown'
}
