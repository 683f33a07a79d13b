import { formatAgo, formatInstant } from './format'

// An instant, by its distance from now; the exact one when the pointer rests on it.
export function Instant({ ms, nowMs, never = 'never' }: { ms: number | null; nowMs: number; never?: string }) {
  if (ms === null) return <span className="av-quiet">{never}</span>
  return (
    <time dateTime={new Date(ms).toISOString()} title={`${formatInstant(ms)} UTC`}>
      {formatAgo(ms, nowMs)}
    </time>
  )
}
