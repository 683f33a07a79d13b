import { Group, Text, Title, UnstyledButton } from '@mantine/core'
import { useMemo, useState, type ReactNode } from 'react'
import { formatCount } from './format'
import { VirtualList } from './VirtualList'

export interface ListGroup<T> {
  readonly key: string // unique
  readonly title: string
  readonly note?: ReactNode // beside the title
  readonly items: readonly T[]
}

export interface GroupedListProps<T> {
  groups: readonly ListGroup<T>[]
  label: string
  keyOf: (item: T) => string // unique in its group
  render: (item: T) => ReactNode
  rowHeight: number // about
}

type Row<T> =
  | { readonly kind: 'group'; readonly group: ListGroup<T>; readonly key: string }
  | { readonly kind: 'item'; readonly item: T; readonly key: string }

// Groups that open and close, of any number of items.
export function GroupedList<T>({ groups, label, keyOf, render, rowHeight }: GroupedListProps<T>) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const rows = useMemo(() => {
    const result: Row<T>[] = []
    groups.forEach((group, at) => {
      result.push({ kind: 'group', group, key: `g${String(at)} ${group.key}` })
      if (closed.has(group.key)) return
      group.items.forEach((item, index) => {
        result.push({ kind: 'item', item, key: `${group.key} ${keyOf(item)} ${String(index)}` })
      })
    })
    return result
  }, [groups, closed, keyOf])
  const toggle = (key: string) => {
    setClosed((before) => {
      const after = new Set(before)
      if (!after.delete(key)) after.add(key)
      return after
    })
  }
  return (
    <VirtualList
      items={rows}
      label={label}
      keyOf={(row) => row.key}
      rowHeight={rowHeight}
      grows
      height="max(320px, calc(100dvh - 320px))"
      render={(row) =>
        row.kind === 'item' ? (
          render(row.item)
        ) : (
          <Heading
            group={row.group}
            open={!closed.has(row.group.key)}
            onToggle={() => {
              toggle(row.group.key)
            }}
          />
        )
      }
    />
  )
}

function Heading<T>({ group, open, onToggle }: { group: ListGroup<T>; open: boolean; onToggle: () => void }) {
  return (
    <Group gap="xs" pt="sm" pb={4}>
      <Title order={2} size="h5" style={{ minWidth: 0 }}>
        <UnstyledButton
          onClick={onToggle}
          aria-expanded={open}
          className="av-break"
          style={{ font: 'inherit', textAlign: 'left' }}
        >
          <span aria-hidden="true">{open ? '▾ ' : '▸ '}</span>
          {group.title}
        </UnstyledButton>
      </Title>
      <Text size="sm" className="av-quiet">
        {formatCount(group.items.length)}
      </Text>
      {group.note}
    </Group>
  )
}
