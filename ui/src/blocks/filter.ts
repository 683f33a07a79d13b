// Which blocks the page shows.
import type { Block } from '../answers/blocks'
import { isEmptyQuery, matches, parseQuery } from '../search/search'

export interface BlockFilter {
  readonly search: string // words of the ID or labels, or conditions on labels
  readonly levels: ReadonlySet<number> // empty: all
  readonly resolutions: ReadonlySet<number> // ms; empty: all
}

export function filterBlocks(blocks: readonly Block[], filter: BlockFilter): readonly Block[] {
  const query = parseQuery(filter.search)
  const { levels, resolutions } = filter
  if (isEmptyQuery(query) && levels.size === 0 && resolutions.size === 0) return blocks
  return blocks.filter(
    (block) =>
      (levels.size === 0 || levels.has(block.level)) &&
      (resolutions.size === 0 || resolutions.has(block.resolutionMs)) &&
      matches(query, [block.ulid, block.source], block.labels),
  )
}

// The values that there are to choose from, in order.
export function levelsOf(blocks: readonly Block[]): number[] {
  return distinct(blocks.map((block) => block.level))
}

export function resolutionsOf(blocks: readonly Block[]): number[] {
  return distinct(blocks.map((block) => block.resolutionMs))
}

function distinct(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b)
}
