// The text of /metrics.

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g

// The samples whose name begins with one of `prefixes`; lines that can't be read are left out.
export function parseExposition(text: string, prefixes: readonly string[]): Sample[] {
  const samples: Sample[] = []
  for (const line of text.split('\n')) {
    if (!prefixes.some((prefix) => line.startsWith(prefix))) continue
    const [, name = '', inner = '', number = ''] = LINE.exec(line) ?? []
    const value = Number(number)
    if (name === '' || number === '' || Number.isNaN(value)) continue
    const labels = Object.fromEntries(
      [...inner.matchAll(LABEL)].map(([, label = '', quoted = '']) => [label, quoted.replace(/\\(.)/g, '$1')]),
    )
    samples.push({ name, labels, value })
  }
  return samples
}

// The sum of all samples of that name; null when there is none.
export function sumOf(samples: readonly Sample[], name: string): number | null {
  const own = samples.filter((sample) => sample.name === name)
  return own.length === 0 ? null : own.reduce((sum, sample) => sum + sample.value, 0)
}
