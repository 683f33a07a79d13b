import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { Block } from '../answers/blocks'
import { request } from '../answers/request'
import { formatInstant } from '../parts/format'
import { Problem } from '../parts/Page'
import { sourceName } from './describe'

export type MarkAction = 'DELETION' | 'NO_COMPACTION'

interface Words {
  readonly title: string
  readonly effect: string
  readonly button: string
}

const WORDS: Record<MarkAction, Words> = {
  DELETION: {
    title: 'Mark for deletion?',
    effect:
      'The compactor deletes the block for good once its delay has passed; store gateways stop reading it before. Until then the mark can be taken away by deleting deletion-mark.json beside the block.',
    button: 'Mark for deletion',
  },
  NO_COMPACTION: {
    title: 'Mark for no compaction?',
    effect:
      'The compactor leaves the block as it is, until the mark is taken away by deleting no-compact-mark.json beside it.',
    button: 'Mark for no compaction',
  },
}

export interface MarkDialogProps {
  block: Block
  action: MarkAction | null // null: closed
  onClose: () => void
  onMarked: () => void
}

// Asks before a mark is put.
export function MarkDialog({ block, action, onClose, onMarked }: MarkDialogProps) {
  const [detail, setDetail] = useState('')
  const marking = useMutation({
    mutationFn: (chosen: MarkAction) =>
      request('api/v1/blocks/mark', { id: block.ulid, action: chosen, detail }, { method: 'POST' }),
    onSuccess: () => {
      setDetail('')
      onMarked()
    },
  })
  const close = () => {
    marking.reset()
    onClose()
  }
  const words = action && WORDS[action]
  return (
    <Modal
      opened={action !== null}
      onClose={close}
      title={words?.title ?? ''}
      closeButtonProps={{ 'aria-label': 'Close' }}
      zIndex={400}
    >
      {action && words && (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            marking.mutate(action)
          }}
        >
          <Stack gap="sm">
            <Text size="sm" className="av-break">
              Block {block.ulid}, {formatInstant(block.minMs)} to {formatInstant(block.maxMs)}, of{' '}
              {sourceName(block.labels)}.
            </Text>
            <Text size="sm">{words.effect}</Text>
            <TextInput
              label="Why (kept in the mark)"
              value={detail}
              maxLength={500}
              onChange={(event) => {
                setDetail(event.currentTarget.value)
              }}
              data-autofocus
            />
            {marking.error && <Problem title="The block was not marked." error={marking.error} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" {...(action === 'DELETION' && { color: 'red.9' })} loading={marking.isPending}>
                {words.button}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
