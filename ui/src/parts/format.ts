// Numbers and times as people read them. Times are UTC, as everywhere in the system.

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const

export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes)
  let unit = 0
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024
    ++unit
  }
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${BYTE_UNITS[unit] ?? ''}`
}

const COUNT = new Intl.NumberFormat('en-US')

export function formatCount(count: number): string {
  return COUNT.format(count)
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

// "2026-06-01 12:30:00", with milliseconds only where they matter.
export function formatInstant(ms: number): string {
  const text = new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
  return text.endsWith('.000') ? text.slice(0, -4) : text
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]

// The two largest units that count: "1d 2h", "3m 5s", "250ms".
export function formatDuration(ms: number): string {
  let rest = Math.round(Math.abs(ms))
  const parts: string[] = []
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length)
    rest -= count * length
    if (count > 0) parts.push(`${String(count)}${unit}`)
    if (parts.length === 2 || (parts.length === 1 && count === 0)) break
  }
  return parts.length === 0 ? '0s' : parts.join(' ')
}

export function formatSeconds(seconds: number): string {
  if (seconds > 0 && seconds < 0.001) return '<1ms'
  return formatDuration(seconds * 1000)
}

export function formatAgo(ms: number, nowMs: number): string {
  const away = nowMs - ms
  if (Math.abs(away) < 1000) return 'now'
  const whole = formatDuration(Math.abs(away) >= 60_000 ? away : Math.round(away / 1000) * 1000)
  return away > 0 ? `${whole} ago` : `in ${whole}`
}

// The name of a block's resolution; 0 is raw data.
export function formatResolution(ms: number): string {
  if (ms === 0) return 'raw'
  return formatDuration(ms)
}
