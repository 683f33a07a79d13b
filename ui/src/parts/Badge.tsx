import type { ReactNode } from 'react'

export type Tone = 'good' | 'bad' | 'warn' | 'note' | 'quiet'

// A short word about a state. The word says it all; the colour only helps the eye.
export function Badge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className="av-badge" data-tone={tone}>
      {children}
    </span>
  )
}
