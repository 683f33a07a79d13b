import { Chip, Group, Input } from '@mantine/core'
import { useId } from 'react'
import { formatCount } from './format'

export interface Choice {
  readonly value: string
  readonly label: string
  readonly count?: number
}

export interface ChoicesProps {
  label: string
  choices: readonly Choice[]
  // None chosen means all.
  chosen: readonly string[]
  onChange: (chosen: string[]) => void
}

// A filter of several values at once.
export function Choices({ label, choices, chosen, onChange }: ChoicesProps) {
  const id = useId()
  if (choices.length === 0) return null
  return (
    <div role="group" aria-labelledby={id}>
      <Input.Label id={id} component="span">
        {label}
      </Input.Label>
      <Chip.Group multiple value={[...chosen]} onChange={onChange}>
        <Group gap={6}>
          {choices.map((choice) => (
            <Chip key={choice.value} value={choice.value} size="sm" variant="outline">
              {choice.label}
              {choice.count !== undefined && ` (${formatCount(choice.count)})`}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </div>
  )
}
