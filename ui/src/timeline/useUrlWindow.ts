// The window of a time axis, kept in the URL as `from` and `to`.
import { useCallback, useEffect, useRef, useState } from 'react'
import type { UrlState } from '../parts/urlState'
import { within, type Window } from './axis'

// Browsers refuse more than a few changes of the URL in a second, and a wheel makes more.
const PAUSE_MS = 250

// Without parameters it is `bounds`, and it never leaves them.
export function useUrlWindow(url: UrlState, bounds: Window): [Window, (window: Window) => void] {
  const said = windowOf(url, bounds)
  const [seen, setSeen] = useState(said)
  const known = useRef(keyOf(said))
  const saidKey = keyOf(said)
  // What the URL says anew, by a link or the button "back", is what is seen.
  useEffect(() => {
    if (saidKey === known.current) return
    known.current = saidKey
    setSeen(said)
  }, [saidKey, said])
  useEffect(() => {
    if (keyOf(seen) === known.current) return
    const timer = setTimeout(() => {
      known.current = keyOf(seen)
      const all = known.current === keyOf(bounds)
      url.set({ from: all ? null : String(seen.fromMs), to: all ? null : String(seen.toMs) })
    }, PAUSE_MS)
    return () => {
      clearTimeout(timer)
    }
  }, [seen, bounds, url])
  const set = useCallback(
    (window: Window) => {
      setSeen(within(window, bounds))
    },
    [bounds],
  )
  return [seen, set]
}

function windowOf(url: UrlState, bounds: Window): Window {
  const fromMs = url.number('from')
  const toMs = url.number('to')
  return fromMs === null || toMs === null || fromMs >= toMs ? bounds : within({ fromMs, toMs }, bounds)
}

function keyOf(window: Window): string {
  return `${String(window.fromMs)}-${String(window.toMs)}`
}
