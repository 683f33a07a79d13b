// Which flags the page shows.
import type { Flag } from '../answers/status'

// Those whose text "--name=value" holds each word.
export function filterFlags(flags: readonly Flag[], search: string, onlySet: boolean): Flag[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  return flags.filter((flag) => {
    if (onlySet && flag.value === '') return false
    const text = `--${flag.name}=${flag.value}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
