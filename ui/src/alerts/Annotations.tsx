import type { AlertState } from '../answers/rules'
import type { Labels } from '../answers/values'
import type { Tone } from '../parts/Badge'
import { SafeLink } from '../parts/SafeLink'

export const STATE_TONES: Record<AlertState, Tone> = {
  firing: 'bad',
  pending: 'warn',
  inactive: 'quiet',
  unknown: 'quiet',
}

// What a rule says to people. Runbooks and the like become links when they lead to web pages.
export function Annotations({ annotations }: { annotations: Labels }) {
  const entries = Object.entries(annotations)
  if (entries.length === 0) return null
  return (
    <dl className="av-facts" style={{ marginTop: 6, fontSize: 14 }}>
      {entries.map(([name, text]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>
            <SafeLink url={text} />
          </dd>
        </div>
      ))}
    </dl>
  )
}
