import { Collapse, Group, MultiSelect, Select, Switch, TagsInput, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useId } from 'react'
import { parseFlags, type Flag } from '../answers/status'
import { parseStores } from '../answers/stores'
import { useAnswer } from '../answers/useAnswer'
import { ENGINES, NEW_PANEL, RESOLUTIONS, type Panel } from './panels'

export interface OptionsProps {
  panel: Panel
  onChange: (change: Partial<Panel>) => void
}

// From where the answer comes and how it is put together.
export function Options({ panel, onChange }: OptionsProps) {
  const flags = useAnswer('api/v1/status/flags', {}, parseFlags).data?.value ?? []
  const [opened, { toggle }] = useDisclosure(isUnusual(panel))
  const id = useId()
  return (
    <>
      <Group gap="lg">
        <Switch
          label="Deduplication"
          checked={panel.dedup}
          onChange={(event) => onChange({ dedup: event.currentTarget.checked })}
        />
        <Switch
          label="Partial response"
          checked={panel.partialResponse ?? valueOf(flags, 'query.partial-response') !== 'false'}
          onChange={(event) => onChange({ partialResponse: event.currentTarget.checked })}
        />
        <UnstyledButton className="av-toggle" aria-expanded={opened} aria-controls={id} onClick={toggle}>
          {opened ? '▾' : '▸'} More options
        </UnstyledButton>
      </Group>
      <Collapse in={opened} id={id}>
        {opened && <MoreOptions panel={panel} flags={flags} onChange={onChange} />}
      </Collapse>
    </>
  )
}

function isUnusual(panel: Panel): boolean {
  const names = ['replicaLabels', 'engine', 'maxSourceResolution'] as const
  return panel.stores.length > 0 || names.some((name) => panel[name] !== NEW_PANEL[name])
}

function MoreOptions({ panel, flags, onChange }: OptionsProps & { flags: readonly Flag[] }) {
  const stores = useAnswer('api/v1/stores', {}, parseStores).data?.value ?? []
  const addresses = [...new Set([...stores.map(({ name }) => name), ...panel.stores])].filter((name) => name !== '')
  const usual = labelsOf(valueOf(flags, 'query.replica-label'))
  return (
    <Group gap="md" align="flex-start">
      <TagsInput
        label="Replica labels"
        description="that tell replicas apart"
        placeholder={panel.replicaLabels === null ? usual.join(', ') || 'those of the server' : ''}
        data={usual}
        value={[...(panel.replicaLabels ?? [])]}
        onChange={(labels) => onChange({ replicaLabels: labels.length === 0 ? null : labels })}
        w={220}
      />
      <Select
        label="Engine"
        description="that evaluates"
        data={[
          { value: '', label: 'As the server has it' },
          ...ENGINES.map((engine) => ({ value: engine, label: engine })),
        ]}
        value={panel.engine}
        onChange={(engine) => onChange({ engine: engine ?? '' })}
        allowDeselect={false}
        w={190}
      />
      <Select
        label="Source resolution"
        description="at most so coarse"
        data={[
          { value: '', label: 'As the server has it' },
          ...resolutionsWith(panel.maxSourceResolution).map((value) => ({
            value,
            label: RESOLUTION_NAMES.get(value) ?? value,
          })),
        ]}
        value={panel.maxSourceResolution}
        onChange={(resolution) => onChange({ maxSourceResolution: resolution ?? '' })}
        allowDeselect={false}
        w={190}
      />
      <MultiSelect
        label="Stores"
        description="that are asked"
        placeholder={panel.stores.length === 0 ? 'all' : ''}
        data={addresses}
        value={[...panel.stores]}
        onChange={(chosen) => onChange({ stores: chosen })}
        searchable
        clearable
        maw="100%"
        w={300}
      />
    </Group>
  )
}

const RESOLUTION_NAMES: ReadonlyMap<string, string> = new Map([
  ['auto', 'As fits the steps'],
  ['0s', 'Raw data only'],
  ['5m', '5 minutes'],
  ['1h', '1 hour'],
])

function resolutionsWith(chosen: string): string[] {
  return [...new Set<string>([...RESOLUTIONS, ...(chosen === '' ? [] : [chosen])])]
}

function valueOf(flags: readonly Flag[], name: string): string {
  return flags.find((flag) => flag.name === name)?.value ?? ''
}

function labelsOf(text: string): string[] {
  return [...new Set(text.split(/[\s,[\]]+/).filter((label) => label !== ''))]
}
