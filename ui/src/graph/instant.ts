// Times in fields and addresses: "2026-06-02 13:00:00", in UTC.

const FORM = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?Z?)?$/

// Milliseconds since 1970 of such a time or of a number of seconds; null for anything else.
export function parseInstant(text: string): number | null {
  const trimmed = text.trim()
  if (/^\d{1,11}(\.\d+)?$/.test(trimmed)) return Math.round(Number(trimmed) * 1000)
  const parts = FORM.exec(trimmed)
  if (!parts) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part || 0))
  const ms = Date.UTC(year, month - 1, day, hour, minute, second, Number((parts[7] ?? '').padEnd(3, '0')))
  const back = new Date(ms)
  // Date.UTC takes the 31st of February for a day in March.
  const same = back.getUTCMonth() === month - 1 && back.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  return same ? ms : null
}

export function writeInstant(ms: number): string {
  const text = new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
  return text.endsWith('.000') ? text.slice(0, -4) : text
}
