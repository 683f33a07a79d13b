import { Anchor, Group, Text } from '@mantine/core'
import { useDeferredValue, useMemo } from 'react'
import { Link } from 'react-router-dom'
import { parseRuleGroups, type RuleGroup } from '../answers/rules'
import { REFRESH_MS, useAnswer } from '../answers/useAnswer'
import { Badge } from '../parts/Badge'
import { Choices } from '../parts/Choices'
import { countBy } from '../parts/groupBy'
import { GroupedList } from '../parts/GroupedList'
import { GroupingField, labelNames } from '../parts/GroupingField'
import { Instant } from '../parts/Instant'
import { LabelSet } from '../parts/LabelSet'
import { Answered, Empty, Filters, Page, Shown } from '../parts/Page'
import { graphLink } from '../parts/promql'
import { SearchField } from '../parts/SearchField'
import { useUrlList, useUrlState } from '../parts/urlState'
import { activeAlerts, filterAlerts, groupAlerts, type ActiveAlert } from '../rules/groups'
import { NoRules } from '../rules/NoRules'
import { Annotations, STATE_TONES } from './Annotations'

export default function AlertsPage() {
  // Of the rules, since alerts alone say neither which rule made them nor its expression.
  const query = useAnswer('api/v1/rules', { type: 'alert' }, parseRuleGroups, { refreshMs: REFRESH_MS })
  return (
    <Page title="Alerts" about="What fires now, or will if it stays so, of all Prometheus servers and rulers.">
      <Answered query={query} what="the alerts">
        {(groups) => (groups.length === 0 ? <NoRules /> : <Alerts groups={groups} nowMs={query.dataUpdatedAt} />)}
      </Answered>
    </Page>
  )
}

function Alerts({ groups, nowMs }: { groups: readonly RuleGroup[]; nowMs: number }) {
  const url = useUrlState()
  const search = url.text('search')
  const states = useUrlList(url, 'state')
  const by = url.text('by')
  const alerts = useMemo(() => activeAlerts(groups), [groups])
  const counts = useMemo(() => countBy(alerts, (alert) => alert.state), [alerts])
  const names = useMemo(() => labelNames(alerts), [alerts])
  const found = useDeferredValue(useMemo(() => filterAlerts(alerts, { search, states }), [alerts, search, states]))
  const listGroups = useMemo(
    () =>
      groupAlerts(found, by).map((group) => ({
        key: group.key,
        title: group.key === '' ? '(none)' : group.key,
        note: group.firing > 0 ? <Badge tone="bad">{group.firing} firing</Badge> : undefined,
        items: group.alerts,
      })),
    [found, by],
  )
  if (alerts.length === 0) {
    const count = groups.reduce((sum, group) => sum + group.rules.length, 0)
    return (
      <Empty title="Nothing fires, and nothing is pending.">
        {count === 1 ? 'The one alerting rule is' : `All ${count.toLocaleString('en-US')} alerting rules are`} quiet.
        See them under{' '}
        <Anchor component={Link} to="/rules?type=alerting" underline="always" inherit>
          rules
        </Anchor>
        .
      </Empty>
    )
  }
  return (
    <>
      <Filters>
        <SearchField
          label="Search alerts"
          placeholder='name, annotation or severity="page"'
          value={search}
          onChange={(text) => {
            url.set({ search: text })
          }}
        />
        <Choices
          label="State"
          choices={(['firing', 'pending'] as const).map((value) => ({
            value,
            label: value,
            count: counts.get(value) ?? 0,
          }))}
          chosen={states}
          onChange={(chosen) => {
            url.set({ state: chosen })
          }}
        />
        <GroupingField
          kinds={['rule', 'state']}
          labels={names}
          value={by}
          onChange={(value) => {
            url.set({ by: value })
          }}
        />
      </Filters>
      <Shown shown={found.length} all={alerts.length} what="alerts" />
      {found.length === 0 ? (
        <Empty title="No alert matches.">Change the search or the filter of states.</Empty>
      ) : (
        <GroupedList
          groups={listGroups}
          label="Alerts"
          keyOf={keyOfAlert}
          rowHeight={120}
          render={(alert) => (
            <AlertRow
              alert={alert}
              nowMs={nowMs}
              onPick={(condition) => {
                url.set({ search: condition })
              }}
            />
          )}
        />
      )}
    </>
  )
}

const keyOfAlert = (alert: ActiveAlert) => JSON.stringify(alert.labels)

interface AlertRowProps {
  alert: ActiveAlert
  nowMs: number
  onPick: (condition: string) => void
}

function AlertRow({ alert, nowMs, onPick }: AlertRowProps) {
  return (
    <div className="av-card" style={{ marginBottom: 6 }} data-tone={alert.state === 'firing' ? 'bad' : 'warn'}>
      <Group gap="xs" mb={4}>
        <Badge tone={STATE_TONES[alert.state]}>{alert.state}</Badge>
        <Text fw={600} component="span" className="av-break">
          {alert.rule.name}
        </Text>
        <Text size="sm" className="av-quiet">
          since <Instant ms={alert.activeAtMs} nowMs={nowMs} never="an unknown time" />
        </Text>
        <Text size="sm" className="av-break">
          value {alert.value}
        </Text>
        <Anchor component={Link} to={graphLink(alert.rule.query)} size="sm" underline="always">
          Graph of the expression
        </Anchor>
      </Group>
      <LabelSet labels={alert.labels} onPick={onPick} />
      <Annotations annotations={alert.annotations} />
    </div>
  )
}
