// What axe finds in a page.
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'

// One line for each fault against WCAG 2.1, levels A and AA.
export async function accessibilityFaults(page: Page): Promise<string[]> {
  const report = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']).analyze()
  return report.violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')}: ${node.failureSummary ?? ''}`),
  )
}
