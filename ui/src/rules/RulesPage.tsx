import { Anchor, Code, Group, Text } from '@mantine/core'
import { useDeferredValue, useMemo } from 'react'
import { Link } from 'react-router-dom'
import { parseRuleGroups, type Rule, type RuleGroup, type RuleHealth } from '../answers/rules'
import { REFRESH_MS, useAnswer } from '../answers/useAnswer'
import { Annotations, STATE_TONES } from '../alerts/Annotations'
import { Badge, type Tone } from '../parts/Badge'
import { Choices } from '../parts/Choices'
import { formatSeconds } from '../parts/format'
import { countBy } from '../parts/groupBy'
import { GroupedList } from '../parts/GroupedList'
import { Instant } from '../parts/Instant'
import { LabelSet } from '../parts/LabelSet'
import { Answered, Empty, Filters, Page, Shown } from '../parts/Page'
import { graphLink } from '../parts/promql'
import { SearchField } from '../parts/SearchField'
import { useUrlList, useUrlState } from '../parts/urlState'
import { allRules, filterRules } from './groups'
import { NoRules } from './NoRules'

const HEALTH_TONES: Record<RuleHealth, Tone> = { ok: 'good', err: 'bad', unknown: 'quiet' }

export default function RulesPage() {
  const query = useAnswer('api/v1/rules', {}, parseRuleGroups, { refreshMs: REFRESH_MS })
  return (
    <Page
      title="Rules"
      about="The alerting and recording rules of all Prometheus servers and rulers; replicas are shown once."
    >
      <Answered query={query} what="the rules">
        {(groups) => (groups.length === 0 ? <NoRules /> : <Rules groups={groups} nowMs={query.dataUpdatedAt} />)}
      </Answered>
    </Page>
  )
}

function Rules({ groups, nowMs }: { groups: readonly RuleGroup[]; nowMs: number }) {
  const url = useUrlState()
  const search = url.text('search')
  const states = useUrlList(url, 'state')
  const health = useUrlList(url, 'health')
  const types = useUrlList(url, 'type')
  const rules = useMemo(() => allRules(groups), [groups])
  const stateCounts = useMemo(() => countBy(rules, (rule) => (rule.type === 'alerting' ? rule.state : '')), [rules])
  const healthCounts = useMemo(() => countBy(rules, (rule) => rule.health), [rules])
  const typeCounts = useMemo(() => countBy(rules, (rule) => rule.type), [rules])
  const found = useDeferredValue(
    useMemo(() => filterRules(groups, { search, states, health, types }), [groups, search, states, health, types]),
  )
  const shown = useMemo(() => allRules(found).length, [found])
  const listGroups = useMemo(
    () =>
      found.map((group) => ({
        key: `${group.file} ${group.name}`,
        title: group.name,
        note: <GroupNote group={group} nowMs={nowMs} />,
        items: group.rules,
      })),
    [found, nowMs],
  )
  return (
    <>
      <Filters>
        <SearchField
          label="Search rules"
          placeholder='name, expression, file or severity="page"'
          value={search}
          onChange={(text) => {
            url.set({ search: text })
          }}
        />
        <Choices
          label="State"
          choices={choicesOf(['firing', 'pending', 'inactive'], stateCounts)}
          chosen={states}
          onChange={(chosen) => {
            url.set({ state: chosen })
          }}
        />
        <Choices
          label="Health"
          choices={choicesOf(['ok', 'err', 'unknown'], healthCounts)}
          chosen={health}
          onChange={(chosen) => {
            url.set({ health: chosen })
          }}
        />
        <Choices
          label="Type"
          choices={choicesOf(['alerting', 'recording'], typeCounts)}
          chosen={types}
          onChange={(chosen) => {
            url.set({ type: chosen })
          }}
        />
      </Filters>
      <Shown shown={shown} all={rules.length} what="rules" />
      {shown === 0 ? (
        <Empty title="No rule matches.">Change the search or the filters.</Empty>
      ) : (
        <GroupedList
          groups={listGroups}
          label="Rules"
          keyOf={keyOfRule}
          rowHeight={120}
          render={(rule) => <RuleRow rule={rule} nowMs={nowMs} />}
        />
      )}
    </>
  )
}

const keyOfRule = (rule: Rule) => `${rule.name} ${rule.query}`

function choicesOf(values: readonly string[], counts: ReadonlyMap<string, number>) {
  return values.map((value) => ({ value, label: value, count: counts.get(value) ?? 0 }))
}

function GroupNote({ group, nowMs }: { group: RuleGroup; nowMs: number }) {
  return (
    <Text size="sm" className="av-quiet av-break">
      {group.file} · every {formatSeconds(group.intervalSeconds)} · last{' '}
      <Instant ms={group.lastEvaluationMs} nowMs={nowMs} />, took {formatSeconds(group.evaluationSeconds)}
    </Text>
  )
}

function RuleRow({ rule, nowMs }: { rule: Rule; nowMs: number }) {
  return (
    <div className="av-card" style={{ marginBottom: 6 }} data-tone={rule.health === 'err' ? 'bad' : undefined}>
      <Group gap="xs" mb={4}>
        <Text fw={600} component="span" className="av-break">
          {rule.name}
        </Text>
        {rule.type === 'alerting' ? (
          <Badge tone={STATE_TONES[rule.state]}>{rule.state}</Badge>
        ) : (
          <Badge tone="note">recording</Badge>
        )}
        <Badge tone={HEALTH_TONES[rule.health]}>{rule.health === 'err' ? 'error' : rule.health}</Badge>
        <Text size="sm" className="av-quiet">
          evaluated <Instant ms={rule.lastEvaluationMs} nowMs={nowMs} />, took {formatSeconds(rule.evaluationSeconds)}
        </Text>
      </Group>
      {rule.lastError !== '' && (
        <Text size="sm" className="av-break" mb={4}>
          {rule.lastError}
        </Text>
      )}
      <Code block className="av-break" tabIndex={0} aria-label={`Expression of ${rule.name}`}>
        {rule.query}
      </Code>
      <Group gap="md" mt={6}>
        <Anchor component={Link} to={graphLink(rule.query)} size="sm" underline="always">
          Graph of the expression
        </Anchor>
        {rule.type === 'recording' && (
          <Anchor component={Link} to={graphLink(rule.name)} size="sm" underline="always">
            Graph of what it records
          </Anchor>
        )}
        {rule.type === 'alerting' && (
          <>
            {rule.forSeconds > 0 && <Text size="sm">for {formatSeconds(rule.forSeconds)}</Text>}
            {rule.keepFiringForSeconds > 0 && (
              <Text size="sm">keeps firing for {formatSeconds(rule.keepFiringForSeconds)}</Text>
            )}
            {rule.alerts.length > 0 && (
              <Anchor
                component={Link}
                to={`/alerts?${new URLSearchParams({ search: `alertname=${JSON.stringify(rule.name)}` }).toString()}`}
                size="sm"
                underline="always"
              >
                {rule.alerts.length === 1 ? '1 alert' : `${rule.alerts.length.toLocaleString('en-US')} alerts`}
              </Anchor>
            )}
          </>
        )}
      </Group>
      {Object.keys(rule.labels).length > 0 && (
        <div style={{ marginTop: 6 }}>
          <LabelSet labels={rule.labels} />
        </div>
      )}
      {rule.type === 'alerting' && <Annotations annotations={rule.annotations} />}
    </div>
  )
}
