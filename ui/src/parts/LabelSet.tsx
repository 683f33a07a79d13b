import type { Labels } from '../answers/values'
import { quote } from './promql'

export interface LabelSetProps {
  labels: Labels
  // Names that need not be shown.
  without?: readonly string[]
  // Makes labels buttons that hand on themselves, as text for a search.
  onPick?: (condition: string) => void
  empty?: string
}

// Labels as text, whatever they hold.
export function LabelSet({ labels, without = [], onPick, empty = 'no labels' }: LabelSetProps) {
  const entries = Object.entries(labels).filter(([name]) => !without.includes(name))
  if (entries.length === 0) return <span className="av-quiet">{empty}</span>
  return (
    <ul className="av-labels" aria-label="Labels">
      {entries.map(([name, value]) => {
        const text = `${name}=${quote(value)}`
        return (
          <li key={name} style={{ maxWidth: '100%' }}>
            {onPick ? (
              <button
                type="button"
                className="av-label"
                aria-label={`Search for ${text}`}
                onClick={() => {
                  onPick(text)
                }}
              >
                {text}
              </button>
            ) : (
              <span className="av-label" style={{ display: 'inline-block' }}>
                {text}
              </span>
            )}
          </li>
        )
      })}
    </ul>
  )
}
