import { Stack, Text } from '@mantine/core'
import { formatInstant } from '../parts/format'
import { LabelSet } from '../parts/LabelSet'
import type { Lack, MissingPart } from './result'

export interface NoticesProps {
  lack: Lack
  warnings: readonly string[]
  infos: readonly string[]
}

// What the answer lacks and of whom, and what the engine has to say about the expression.
export function Notices({ lack, warnings, infos }: NoticesProps) {
  const ofEngine = warnings.filter((text) => text.startsWith('PromQL '))
  const ofStores = warnings.filter((text) => !text.startsWith('PromQL '))
  if (warnings.length + infos.length + lack.parts.length === 0) return null
  const lost = lack.parts.filter(({ answeredBy }) => answeredBy === '')
  const replaced = lack.parts.filter(({ answeredBy }) => answeredBy !== '')
  return (
    <Stack gap="xs">
      {lost.length > 0 && (
        <div className="av-card" data-tone="bad" role="alert">
          <Text fw={600}>Parts of the answer are missing, and nobody else has them.</Text>
          <Parts parts={lost} />
          <Text size="sm">Look at the stores page for what is wrong with them, then run the query again.</Text>
        </div>
      )}
      {replaced.length > 0 && (
        <div className="av-card" data-tone="note" role="status">
          <Text fw={600}>
            {lost.length > 0 || !lack.complete
              ? 'Replicas answered in place of these stores.'
              : 'Stores failed, but their replicas answered: nothing is missing.'}
          </Text>
          <Parts parts={replaced} />
        </div>
      )}
      {lack.parts.length === 0 && ofStores.length > 0 && (
        <div className="av-card" data-tone="warn" role="alert">
          <Text fw={600}>Warnings: the answer may be incomplete.</Text>
          <Messages texts={ofStores} />
        </div>
      )}
      {ofEngine.length + infos.length > 0 && (
        <div className="av-card" data-tone="note" role="status">
          <Text fw={600}>About the expression</Text>
          <Messages texts={[...ofEngine, ...infos]} />
        </div>
      )}
    </Stack>
  )
}

function Messages({ texts }: { texts: readonly string[] }) {
  return (
    <ul className="av-messages">
      {texts.map((text, at) => (
        <li key={at} className="av-break">
          {text}
        </li>
      ))}
    </ul>
  )
}

function Parts({ parts }: { parts: readonly MissingPart[] }) {
  return (
    <ul className="av-messages">
      {parts.map((part, at) => (
        <li key={at}>
          <span className="av-break">{part.endpoint}</span>
          {' from '}
          {boundOf(part.minMs, 'the beginning')}
          {' to '}
          {boundOf(part.maxMs, 'now')}
          {part.labels.map((labels, index) => (
            <LabelSet key={index} labels={labels} empty="no external labels" />
          ))}
          <Text size="sm" className="av-break av-quiet">
            {part.error}
            {part.answeredBy !== '' && ` (${part.answeredBy} answered)`}
          </Text>
        </li>
      ))}
    </ul>
  )
}

function boundOf(ms: number | null, otherwise: string): string {
  return ms === null ? otherwise : `${formatInstant(ms)} UTC`
}
