// Where the pointer is over a chart. Kept beside React's state, since it moves with each frame and only
// the values that are seen follow it.
import { useSyncExternalStore } from 'react'

export class Cursor {
  private step: number | null = null
  private readonly listeners = new Set<() => void>()

  readonly get = () => this.step

  set(step: number | null): void {
    if (step === this.step) return
    this.step = step
    for (const listener of this.listeners) listener()
  }

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener)
    return () => {
      this.listeners.delete(listener)
    }
  }
}

export function useCursor(cursor: Cursor): number | null {
  return useSyncExternalStore(cursor.subscribe, cursor.get)
}
