import { SegmentedControl, Group, Switch, Text } from '@mantine/core'
import { formatBytes, formatCount } from '../parts/format'
import { writeElapsed } from './duration'
import type { Panel } from './panels'
import type { FanOut, PlanNode } from './plan'

export interface ExplainControlsProps {
  panel: Panel
  onChange: (change: Partial<Panel>) => void
}

export function ExplainControls({ panel, onChange }: ExplainControlsProps) {
  return (
    <Group gap="md">
      <SegmentedControl
        size="xs"
        aria-label="Which query to explain"
        data={[
          { value: 'range', label: 'Graph' },
          { value: 'instant', label: 'Table' },
        ]}
        value={panel.explainInstant ? 'instant' : 'range'}
        onChange={(value) => onChange({ explainInstant: value === 'instant' })}
      />
      <Switch
        label="Analyze: run it and measure each operator"
        checked={panel.analyze}
        onChange={(event) => onChange({ analyze: event.currentTarget.checked })}
      />
    </Group>
  )
}

// The operators of a query, each above those that it takes its rows from.
export function ExplainView({ plan }: { plan: readonly PlanNode[] }) {
  if (plan.length === 0) {
    return <Text size="sm">There is no plan: the engine of Prometheus has none to show. Choose the engine thanos.</Text>
  }
  const measured = plan.some(({ elapsedMs }) => elapsedMs !== null)
  const fanOut = plan.flatMap((node) => node.fanOut)
  return (
    <>
      <div className="av-table" tabIndex={0} role="region" aria-label="Plan">
        <table className="av-result">
          <thead>
            <tr>
              <th scope="col">Operator</th>
              {measured &&
                ['Time', 'Its own', 'Samples', 'At once', 'Series'].map((name) => (
                  <th scope="col" key={name} className="av-number">
                    {name}
                  </th>
                ))}
            </tr>
          </thead>
          <tbody>
            {plan.map((node) => (
              <Row key={node.id} node={node} measured={measured} wholeMs={plan[0]?.elapsedMs ?? 0} />
            ))}
          </tbody>
        </table>
      </div>
      {fanOut.length > 0 && <FanOutTable fanOut={fanOut} />}
    </>
  )
}

// Deeper nodes than these stand no further to the right.
const DEEPEST_INDENT = 24

function Row({ node, measured, wholeMs }: { node: PlanNode; measured: boolean; wholeMs: number }) {
  const share = node.ownMs !== null && wholeMs > 0 ? Math.min(node.ownMs / wholeMs, 1) : 0
  return (
    <tr>
      <td className="av-operator" style={{ paddingLeft: 8 + Math.min(node.depth, DEEPEST_INDENT) * 16 }}>
        {node.depth > 0 && <span aria-hidden="true">└ </span>}
        {node.name}
        {measured && <span className="av-share" aria-hidden="true" style={{ width: `${share * 100}%` }} />}
      </td>
      {measured && (
        <>
          <td className="av-number">{node.elapsedMs === null ? '' : writeElapsed(node.elapsedMs)}</td>
          <td className="av-number">{node.ownMs === null ? '' : writeElapsed(node.ownMs)}</td>
          {[node.totalSamples, node.peakSamples, node.series].map((count, at) => (
            <td key={at} className="av-number">
              {count === 0 ? '' : formatCount(count)}
            </td>
          ))}
        </>
      )}
    </tr>
  )
}

function FanOutTable({ fanOut }: { fanOut: readonly FanOut[] }) {
  return (
    <div className="av-table" tabIndex={0} role="region" aria-label="Stores that were asked">
      <table className="av-result">
        <thead>
          <tr>
            {['Store', 'Time', 'Bytes', 'Series', 'Chunks', 'Samples'].map((name) => (
              <th key={name} scope="col" className={name === 'Store' ? undefined : 'av-number'}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {fanOut.map((one, at) => (
            <tr key={at}>
              <td className="av-break">{one.endpoint}</td>
              <td className="av-number">{one.elapsedMs === null ? '' : writeElapsed(one.elapsedMs)}</td>
              <td className="av-number">{formatBytes(one.bytes)}</td>
              <td className="av-number">{formatCount(one.series)}</td>
              <td className="av-number">{formatCount(one.chunks)}</td>
              <td className="av-number">{formatCount(one.samples)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
