import { TextInput, type TextInputProps } from '@mantine/core'
import { useEffect, useState } from 'react'

export interface CommittedFieldProps extends Omit<TextInputProps, 'value' | 'onChange' | 'error'> {
  value: string
  // What is wrong with the text; undefined: nothing.
  check: (text: string) => string | undefined
  // Called with Enter and when the field is left, for a text that is right and another one.
  onCommit: (text: string) => void
}

// A field whose text counts when it is whole, not while it is typed.
export function CommittedField({ value, check, onCommit, ...props }: CommittedFieldProps) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  const fault = check(text)
  const commit = () => {
    if (fault === undefined && text !== value) onCommit(text)
  }
  return (
    <TextInput
      {...props}
      value={text}
      error={fault}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit()
        if (event.key === 'Escape') setText(value)
      }}
    />
  )
}
