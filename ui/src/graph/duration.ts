// Durations as PromQL writes them ("1h30m"), and as Go prints them ("1.5ms").

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
}

// What a querier can count with, in milliseconds.
const LONGEST_MS = 100 * 31_536_000_000

// The milliseconds of "1h30m", or of a number of seconds; null for anything else, and for nothing.
export function parseDuration(text: string): number | null {
  const trimmed = text.trim()
  if (/^\d+(\.\d+)?$/.test(trimmed)) return positive(Math.round(Number(trimmed) * 1000))
  const parts = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(trimmed)
  if (!parts) return null
  const units = ['y', 'w', 'd', 'h', 'm', 's', 'ms']
  return positive(units.reduce((sum, unit, at) => sum + Number(parts[at + 1] ?? 0) * (UNIT_MS[unit] ?? 0), 0))
}

function positive(ms: number): number | null {
  return ms > 0 && ms <= LONGEST_MS ? ms : null
}

// The shortest form that says it exactly: "1h30m", "14s500ms".
export function writeDuration(ms: number): string {
  let rest = Math.max(1, Math.round(ms))
  let text = ''
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const length = UNIT_MS[unit] ?? 1
    const count = Math.floor(rest / length)
    rest -= count * length
    if (count > 0) text += `${count}${unit}`
  }
  return text
}

const GO_UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, µs: 1e-3, μs: 1e-3, us: 1e-3, ...UNIT_MS }

// The milliseconds of "1m2.5s" or "350µs"; null when it is none.
export function parseGoDuration(text: string): number | null {
  if (text === '0' || text === '0s') return 0
  if (!/^(\d+(\.\d+)?(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return null
  let ms = 0
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)/g)) {
    ms += Number(count) * (GO_UNIT_MS[unit ?? ''] ?? 0)
  }
  return ms
}

// A time that something took: "350µs", "1.25ms", "12.3s".
export function writeElapsed(ms: number): string {
  if (ms < 1) return `${short(ms * 1000)}µs`
  if (ms < 1000) return `${short(ms)}ms`
  return `${short(ms / 1000)}s`
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}
