// Selectors of PromQL made of names that may hold anything, and links to their graphs.
import type { Labels } from '../answers/values'

const METRIC_NAME = /^[A-Za-z_:][A-Za-z0-9_:]*$/
const LABEL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

export function quote(text: string): string {
  let quoted = ''
  for (const char of text) {
    if (char === '\\' || char === '"') quoted += `\\${char}`
    else if (char === '\n') quoted += '\\n'
    else if (char === '\r') quoted += '\\r'
    else if (char === '\t') quoted += '\\t'
    else if (char < ' ') quoted += `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
    else quoted += char
  }
  return `"${quoted}"`
}

// Series of a metric with these labels; without a name, "": of any.
export function selector(metric: string, labels: Labels = {}): string {
  const plain = METRIC_NAME.test(metric)
  const matchers = Object.entries(labels).map(
    ([name, value]) => `${LABEL_NAME.test(name) ? name : quote(name)}=${quote(value)}`,
  )
  if (metric !== '' && !plain) matchers.unshift(quote(metric))
  const inner = matchers.join(', ')
  if (plain) return inner === '' ? metric : `${metric}{${inner}}`
  return `{${inner}}`
}

// A label name as it stands in the path of an API: names that are not plain have a form of their
// own, since a path has no room for a slash in one.
export function escapeForPath(name: string): string {
  if (LABEL_NAME.test(name) && !name.startsWith('U__')) return name
  let escaped = 'U__'
  for (const char of name) {
    if (char === '_') escaped += '__'
    else if (/[A-Za-z0-9]/.test(char)) escaped += char
    else escaped += `_${(char.codePointAt(0) ?? 0).toString(16)}_`
  }
  return escaped
}

export function graphLink(expression: string, tab: 'graph' | 'table' = 'graph'): string {
  const params = new URLSearchParams({ 'g0.expr': expression, 'g0.tab': tab })
  return `/graph?${params.toString()}`
}
