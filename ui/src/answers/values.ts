// Reads answers of servers that may say anything: another version, a proxy between, a fault. Nothing
// here throws; what has the wrong form counts as absent.

export type Labels = Readonly<Record<string, string>>

export type JsonObject = Readonly<Record<string, unknown>>

export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

// The objects of a list; anything else in it is left out.
export function asObjects(value: unknown): JsonObject[] {
  return asArray(value).filter(isObject)
}

// Numbers and booleans are written out, since servers are not of one mind about quotes.
export function asText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'boolean':
      return String(value)
    default:
      return ''
  }
}

export function asTexts(value: unknown): string[] {
  return asArray(value).filter((item): item is string => typeof item === 'string')
}

// A finite number, also one in quotes; `otherwise` for anything else.
export function asNumber(value: unknown, otherwise = 0): number {
  if (typeof value === 'number') return Number.isFinite(value) ? value : otherwise
  if (typeof value !== 'string' || value.trim() === '') return otherwise
  const number = Number(value)
  return Number.isFinite(number) ? number : otherwise
}

// An object without a prototype, so that labels named as members of one are only labels. Sorted by
// name.
export function asLabels(value: unknown): Labels {
  const labels = Object.create(null) as Record<string, string>
  const object = asObject(value)
  for (const name of Object.keys(object).sort()) labels[name] = asText(object[name])
  return labels
}

// The range of the dates of JavaScript. Servers say "no end" by the largest number that they know.
const LAST_DATE_MS = 8.64e15

// Milliseconds since 1970, or null where a server says that there is no bound or no value.
export function asTimeMs(value: unknown): number | null {
  const ms = asNumber(value, NaN)
  return Math.abs(ms) <= LAST_DATE_MS ? ms : null
}

// An RFC 3339 time. The year 1 is how servers write a time that never was.
export function asInstantMs(value: unknown): number | null {
  if (typeof value !== 'string' || value.startsWith('0001-')) return null
  const ms = Date.parse(value)
  return Number.isNaN(ms) ? null : ms
}
