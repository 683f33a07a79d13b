// State of pages that lives in the URL, so that a link shows what its sender saw.
import { useCallback, useMemo } from 'react'
import { useSearchParams } from 'react-router-dom'

type Change = Readonly<Record<string, string | readonly string[] | null>>

export interface UrlState {
  // The parameter, or "".
  text(name: string): string
  all(name: string): readonly string[]
  // A finite number, or null.
  number(name: string): number | null
  // Sets several parameters at once; an empty value removes one. The history gets no entry, so that
  // "back" leaves the page.
  set(change: Change): void
}

export function useUrlState(): UrlState {
  const [params, setParams] = useSearchParams()
  const set = useCallback(
    (change: Change) => {
      setParams(
        (before) => {
          const after = new URLSearchParams(before)
          for (const [name, value] of Object.entries(change)) {
            after.delete(name)
            const values = typeof value === 'string' ? [value] : (value ?? [])
            for (const one of values) if (one !== '') after.append(name, one)
          }
          return after
        },
        { replace: true },
      )
    },
    [setParams],
  )
  return useMemo(
    () => ({
      text: (name) => params.get(name) ?? '',
      all: (name) => params.getAll(name),
      number: (name) => {
        const text = params.get(name)
        if (text === null || text.trim() === '') return null
        const number = Number(text)
        return Number.isFinite(number) ? number : null
      },
      set,
    }),
    [params, set],
  )
}

// All values of a parameter, the same list for as long as they are the same.
export function useUrlList(url: UrlState, name: string): readonly string[] {
  const key = JSON.stringify(url.all(name))
  return useMemo(() => JSON.parse(key) as string[], [key])
}
