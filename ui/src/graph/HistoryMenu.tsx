import { ActionIcon, Button, Popover, Stack, Text, TextInput, UnstyledButton } from '@mantine/core'
import { useState } from 'react'
import { forgetHistory, readHistory } from './history'

const SHOWN = 50

// The expressions that were run before, to choose one again.
export function HistoryMenu({ onPick }: { onPick: (expr: string) => void }) {
  const [opened, setOpened] = useState(false)
  const [all, setAll] = useState<readonly string[]>([])
  const [search, setSearch] = useState('')
  const words = search.toLowerCase().split(/\s+/)
  const found = all.filter((expr) => words.every((word) => expr.toLowerCase().includes(word)))
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width="min(560px, 92vw)" trapFocus withinPortal>
      <Popover.Target>
        <ActionIcon
          variant="default"
          size={36}
          aria-label="History"
          title="History"
          onClick={() => {
            setAll(readHistory())
            setSearch('')
            setOpened(!opened)
          }}
        >
          <svg
            width="18"
            height="18"
            viewBox="0 0 24 24"
            fill="none"
            stroke="currentColor"
            strokeWidth="2"
            aria-hidden="true"
          >
            <path d="M3 12a9 9 0 1 0 3-6.7L3 8M3 3v5h5M12 7v5l3 3" />
          </svg>
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <TextInput
            label="Search the history"
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
            data-autofocus
          />
          {found.length === 0 && (
            <Text size="sm" className="av-quiet">
              {all.length === 0 ? 'Expressions that you run are kept here, in this browser only.' : 'Nothing matches.'}
            </Text>
          )}
          <ul className="av-history">
            {found.slice(0, SHOWN).map((expr) => (
              <li key={expr}>
                <UnstyledButton
                  className="av-history-entry"
                  onClick={() => {
                    setOpened(false)
                    onPick(expr)
                  }}
                >
                  {expr}
                </UnstyledButton>
              </li>
            ))}
          </ul>
          {all.length > 0 && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => {
                forgetHistory()
                setAll([])
              }}
            >
              Forget all
            </Button>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
