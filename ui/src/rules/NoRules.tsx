import { Empty } from '../parts/Page'

// In place of rules and alerts.
export function NoRules() {
  return (
    <Empty title="No endpoint tells of rules.">
      Rules live in the files under <code>rule_files</code> of a Prometheus with a sidecar, or in those of a ruler; both
      tell of them once they are reached.
    </Empty>
  )
}
