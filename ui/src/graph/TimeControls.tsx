import { ActionIcon, Group } from '@mantine/core'
import { CommittedField } from './CommittedField'
import { parseDuration, writeDuration } from './duration'
import { parseInstant, writeInstant } from './instant'
import type { Panel } from './panels'

const RANGES_MS = [
  60_000, 300_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000,
  604_800_000, 1_209_600_000, 2_419_200_000, 4_838_400_000, 10_886_400_000, 31_536_000_000, 63_072_000_000,
] as const

export interface TimeControlsProps {
  panel: Panel
  ranged: boolean // a graph, which has a range and steps; a table has an instant only
  onChange: (change: Partial<Panel>) => void
}

export function TimeControls({ panel, ranged, onChange }: TimeControlsProps) {
  const { rangeMs, endMs, stepMs } = panel
  const move = (direction: 1 | -1) => {
    const moved = (endMs ?? Date.now()) + (direction * (ranged ? rangeMs : 3_600_000)) / 2
    onChange({ endMs: Math.round(moved / 1000) * 1000 })
  }
  return (
    <Group gap="sm" align="flex-end">
      {ranged && (
        <Group gap={4} align="flex-end" wrap="nowrap">
          <Step label="Shorter range" text="−" onClick={() => onChange({ rangeMs: nextShorter(rangeMs) })} />
          <CommittedField
            size="sm"
            w={92}
            label="Range"
            value={writeDuration(rangeMs)}
            check={checkDuration}
            onCommit={(text) => onChange({ rangeMs: parseDuration(text) ?? rangeMs })}
          />
          <Step label="Longer range" text="+" onClick={() => onChange({ rangeMs: nextLonger(rangeMs) })} />
        </Group>
      )}
      <Group gap={4} align="flex-end" wrap="nowrap">
        <Step label="Earlier" text="‹" onClick={() => move(-1)} />
        <CommittedField
          size="sm"
          w={190}
          label={ranged ? 'End (UTC)' : 'Time (UTC)'}
          placeholder="now"
          value={endMs === null ? '' : writeInstant(endMs)}
          check={checkInstant}
          onCommit={(text) => onChange({ endMs: parseInstant(text) })}
        />
        <Step label="Later" text="›" onClick={() => move(1)} />
        {endMs !== null && <Step label="Back to now" text="»" onClick={() => onChange({ endMs: null })} />}
      </Group>
      {ranged && (
        <CommittedField
          size="sm"
          w={100}
          label="Resolution"
          placeholder="fits"
          value={stepMs === null ? '' : writeDuration(stepMs)}
          check={(text) => (text.trim() === '' ? undefined : checkDuration(text))}
          onCommit={(text) => onChange({ stepMs: parseDuration(text) })}
        />
      )}
    </Group>
  )
}

function Step({ label, text, onClick }: { label: string; text: string; onClick: () => void }) {
  return (
    <ActionIcon variant="default" size={36} aria-label={label} title={label} onClick={onClick}>
      {text}
    </ActionIcon>
  )
}

export function nextShorter(rangeMs: number): number {
  return RANGES_MS.findLast((range) => range < rangeMs) ?? rangeMs
}

export function nextLonger(rangeMs: number): number {
  return RANGES_MS.find((range) => range > rangeMs) ?? rangeMs
}

function checkDuration(text: string): string | undefined {
  return parseDuration(text) === null ? 'such as 1h30m' : undefined
}

function checkInstant(text: string): string | undefined {
  return text.trim() === '' || parseInstant(text) !== null ? undefined : 'such as 2026-06-02 13:00:00'
}
