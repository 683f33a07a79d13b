// The expressions that were run in this browser, newest first.

const KEY = 'aevum.graph.history'
const MOST = 200
const LONGEST = 10_000

export function readHistory(): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(list) ? list.filter((item): item is string => typeof item === 'string').slice(0, MOST) : []
  } catch {
    // Damaged, or storage is off.
    return []
  }
}

export function rememberQuery(expr: string): void {
  const trimmed = expr.trim()
  if (trimmed === '' || trimmed.length > LONGEST) return
  store([trimmed, ...readHistory().filter((other) => other !== trimmed)].slice(0, MOST))
}

export function forgetHistory(): void {
  store([])
}

function store(list: readonly string[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(list))
  } catch {
    // Full, or storage is off: the page works without a history.
  }
}
