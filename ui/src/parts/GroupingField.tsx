import { Select } from '@mantine/core'

export interface GroupingFieldProps {
  // What is there beside labels: ["pool", "health"], of which the first is the usual one.
  kinds: readonly string[]
  // The names of labels to group by.
  labels: readonly string[]
  value: string // a kind, "label:<name>" or "" for the usual one
  onChange: (value: string) => void
}

// By what a list is grouped.
export function GroupingField({ kinds, labels, value, onChange }: GroupingFieldProps) {
  const usual = kinds[0] ?? ''
  return (
    <Select
      label="Group by"
      data={[
        ...kinds.map((kind) => ({ value: kind, label: kind })),
        ...labels.map((name) => ({ value: `label:${name}`, label: `label ${name}` })),
      ]}
      value={value === '' ? usual : value}
      onChange={(chosen) => {
        onChange(chosen === usual ? '' : (chosen ?? ''))
      }}
      allowDeselect={false}
      searchable
      w={180}
    />
  )
}

// The names of all labels of a list, without an order of their own.
export function labelNames(items: Iterable<{ readonly labels: object }>): string[] {
  const names = new Set<string>()
  for (const { labels } of items) for (const name of Object.keys(labels)) names.add(name)
  return [...names].sort()
}
