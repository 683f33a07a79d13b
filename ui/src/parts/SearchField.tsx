import { TextInput } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useEffect, useRef, useState } from 'react'

export interface SearchFieldProps {
  label: string
  placeholder?: string
  value: string
  onChange: (value: string) => void
}

// How long typing may pause before the page follows it.
const PAUSE_MS = 150

// A search; the key / leads to it, Escape empties it.
export function SearchField({ label, placeholder, value, onChange }: SearchFieldProps) {
  const input = useRef<HTMLInputElement>(null)
  const [typed, setTyped] = useState(value)
  const handedOn = useRef(value)
  useHotkeys([
    [
      '/',
      () => {
        input.current?.focus()
      },
    ],
  ])
  // A value from elsewhere, such as a label that was picked, replaces what was typed.
  useEffect(() => {
    if (value === handedOn.current) return
    handedOn.current = value
    setTyped(value)
  }, [value])
  useEffect(() => {
    if (typed === handedOn.current) return
    const timer = setTimeout(() => {
      handedOn.current = typed
      onChange(typed)
    }, PAUSE_MS)
    return () => {
      clearTimeout(timer)
    }
  }, [typed, onChange])
  return (
    <TextInput
      ref={input}
      type="search"
      label={label}
      placeholder={placeholder}
      value={typed}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => {
        setTyped(event.currentTarget.value)
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') setTyped('')
      }}
      style={{ flex: '1 1 220px' }}
    />
  )
}
