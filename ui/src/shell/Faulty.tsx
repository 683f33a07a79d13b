import { Button, Stack, Text, Title } from '@mantine/core'
import { Component, type ReactNode } from 'react'

// Shows what went wrong in a page in place of an empty window. Most often it is a part of the
// application that a newer version of the server no longer has.
export class Faulty extends Component<{ children: ReactNode }, { fault: Error | null }> {
  override state = { fault: null as Error | null }

  static getDerivedStateFromError(fault: unknown) {
    return { fault: fault instanceof Error ? fault : new Error(String(fault)) }
  }

  override render() {
    const { fault } = this.state
    if (!fault) return this.props.children
    return (
      <Stack role="alert" align="flex-start" gap="xs">
        <Title order={1} size="h2">
          This page could not be shown
        </Title>
        <Text className="av-break">{fault.message}</Text>
        <Text size="sm">
          Load it again: the server may have a new version. If that does not help, the other pages still work.
        </Text>
        <Button
          variant="default"
          onClick={() => {
            window.location.reload()
          }}
        >
          Load again
        </Button>
      </Stack>
    )
  }
}
