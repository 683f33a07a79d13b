// How the pages search: words that must all occur, and conditions on labels.
import type { Labels } from '../answers/values'

export interface Query {
  readonly words: readonly string[] // in lower case
  readonly conditions: readonly Condition[]
}

interface Condition {
  readonly name: string
  readonly value: string
  readonly negative: boolean
}

const CONDITION = /([A-Za-z_][\w.:/-]*)(!?=)("(?:[^"\\]|\\.)*"|[^\s",}]*(?!"))/y
const WORD = /[^\s,{}]+/y
const BETWEEN = /[\s,{}]*/y

// `a b` looks for both words, `job="node"`, `job=node` and `job!=node` for labels. Braces and commas
// are allowed, so that a selector can be pasted.
export function parseQuery(text: string): Query {
  const words: string[] = []
  const conditions: Condition[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found) at = pattern.lastIndex
    return found
  }
  for (;;) {
    take(BETWEEN)
    if (at >= text.length) return { words, conditions }
    const condition = take(CONDITION)
    if (condition) {
      const [, name = '', operator, value = ''] = condition
      conditions.push({ name, value: unquote(value), negative: operator === '!=' })
      continue
    }
    const word = take(WORD)
    if (!word) return { words, conditions }
    words.push(word[0].toLowerCase())
  }
}

function unquote(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text
}

export function isEmptyQuery(query: Query): boolean {
  return query.words.length === 0 && query.conditions.length === 0
}

// Whether one of the texts or labels holds each word, and the labels meet each condition. A label
// that is absent has the empty value.
export function matches(query: Query, texts: readonly string[], labels: Labels): boolean {
  for (const { name, value, negative } of query.conditions) {
    if (((labels[name] ?? '') === value) === negative) return false
  }
  return query.words.every(
    (word) =>
      texts.some((text) => text.toLowerCase().includes(word)) ||
      Object.keys(labels).some((name) => `${name}="${labels[name] ?? ''}"`.toLowerCase().includes(word)),
  )
}
