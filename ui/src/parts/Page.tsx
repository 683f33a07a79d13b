import { Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import { useEffect, type ReactNode } from 'react'
import { RequestError } from '../answers/request'
import type { Parsed } from '../answers/useAnswer'
import './parts.css'

// What all pages begin with: their name and one sentence about them.
export function Page({ title, about, children }: { title: string; about: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Aevum`
  }, [title])
  return (
    <Stack gap="md" style={{ minWidth: 0 }}>
      <div>
        <Title order={1} size="h2">
          {title}
        </Title>
        <Text size="sm" className="av-quiet">
          {about}
        </Text>
      </div>
      {children}
    </Stack>
  )
}

export interface AnsweredProps<T> {
  query: UseQueryResult<Parsed<T>>
  what: string // is loaded: "the stores"
  children: (value: T) => ReactNode
}

// Shows an answer when it is there, and until then what is going on. An answer that could not be
// renewed stays, below the error.
export function Answered<T>({ query, what, children }: AnsweredProps<T>) {
  const { data, error } = query
  return (
    <>
      {error && (
        <Problem
          title={data ? `Could not renew ${what}; this is what was known before.` : `Could not load ${what}.`}
          error={error}
          onRetry={() => {
            void query.refetch()
          }}
        />
      )}
      {data && <Warnings warnings={data.warnings} />}
      {data ? children(data.value) : !error && <Loading what={what} />}
    </>
  )
}

export function Problem({ title, error, onRetry }: { title: string; error: Error; onRetry?: () => void }) {
  return (
    <div className="av-card" data-tone="bad" role="alert">
      <Text fw={600}>{title}</Text>
      <Text size="sm" className="av-break">
        {error.message}
      </Text>
      {error instanceof RequestError && <Text size="sm">{error.advice}</Text>}
      {onRetry && (
        <Button size="compact-sm" variant="default" mt="xs" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  )
}

// What is missing from an answer that is there nevertheless.
export function Warnings({ warnings }: { warnings: readonly string[] }) {
  if (warnings.length === 0) return null
  return (
    <div className="av-card" data-tone="warn" role="status">
      <Text fw={600}>The answer is not complete.</Text>
      <ul style={{ margin: 0, paddingLeft: 20 }}>
        {warnings.map((warning, index) => (
          <li key={index} className="av-break">
            {warning}
          </li>
        ))}
      </ul>
    </div>
  )
}

function Loading({ what }: { what: string }) {
  return (
    <div role="status" aria-label={`Loading ${what}`}>
      <Stack gap="xs">
        {[0, 1, 2].map((line) => (
          <Skeleton key={line} height={28} />
        ))}
      </Stack>
    </div>
  )
}

// Says what would be here, and how it gets here.
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="av-card">
      <Text fw={600}>{title}</Text>
      <Text size="sm" component="div" className="av-quiet">
        {children}
      </Text>
    </div>
  )
}

// The filters of a page, beside each other where there is room.
export function Filters({ children }: { children: ReactNode }) {
  return (
    <Group align="flex-end" gap="md" role="search">
      {children}
    </Group>
  )
}

// How many of the things are shown; read out when it changes.
export function Shown({ shown, all, what }: { shown: number; all: number; what: string }) {
  return (
    <Text size="sm" className="av-quiet" role="status" aria-live="polite">
      {shown === all
        ? `${all.toLocaleString('en-US')} ${what}`
        : `${shown.toLocaleString('en-US')} of ${all.toLocaleString('en-US')} ${what}`}
    </Text>
  )
}
