import { Button, Group, SegmentedControl, Text, useComputedColorScheme } from '@mantine/core'
import { useCallback, useDeferredValue, useMemo } from 'react'
import { parseBlocks, type Block, type BlocksAnswer } from '../answers/blocks'
import { useAnswer } from '../answers/useAnswer'
import { Choices } from '../parts/Choices'
import { readConfig } from '../parts/config'
import { formatResolution } from '../parts/format'
import { countBy } from '../parts/groupBy'
import { Instant } from '../parts/Instant'
import { Answered, Empty, Filters, Page, Shown } from '../parts/Page'
import { SearchField } from '../parts/SearchField'
import { useUrlList, useUrlState, type UrlState } from '../parts/urlState'
import { windowAround, zoom } from '../timeline/axis'
import { useUrlWindow } from '../timeline/useUrlWindow'
import { BlockDetails } from './BlockDetails'
import { BlockList } from './BlockList'
import { BlocksTimeline } from './BlocksTimeline'
import { coloursOf, resolutionColour } from './colours'
import { Faults } from './Faults'
import { filterBlocks, levelsOf, resolutionsOf } from './filter'
import { layOut } from './layout'
import { makeScene } from './scene'

// Components look at their bucket every minute at most.
const REFRESH_MS = 60_000

export default function BlocksPage({ view = 'global' }: { view?: 'global' | 'loaded' }) {
  const query = useAnswer('api/v1/blocks', view === 'loaded' ? { view: 'loaded' } : {}, parseBlocks, {
    refreshMs: REFRESH_MS,
  })
  return (
    <Page
      title={view === 'loaded' ? 'Loaded blocks' : 'Blocks'}
      about={
        view === 'loaded'
          ? 'The blocks that this component works with, after its filters.'
          : 'All blocks that are in the bucket.'
      }
    >
      <Answered query={query} what="the blocks">
        {(answer) => <Answer answer={answer} view={view} nowMs={query.dataUpdatedAt} />}
      </Answered>
    </Page>
  )
}

function Answer({ answer, view, nowMs }: { answer: BlocksAnswer; view: 'global' | 'loaded'; nowMs: number }) {
  return (
    <>
      {answer.error !== '' && (
        <div className="av-card" data-tone="bad" role="alert">
          <Text fw={600}>The last look at the bucket failed; blocks may be missing.</Text>
          <Text size="sm" className="av-break">
            {answer.error}
          </Text>
        </div>
      )}
      {answer.unreadable > 0 && (
        <Text size="sm">
          {answer.unreadable.toLocaleString('en-US')} entries have no ID or no range and are not shown.
        </Text>
      )}
      {answer.blocks.length === 0 ? (
        <NoBlocks refreshed={answer.refreshedMs !== null} view={view} />
      ) : (
        <>
          <Text size="sm" className="av-quiet">
            Looked at the bucket <Instant ms={answer.refreshedMs} nowMs={nowMs} />.
          </Text>
          <Blocks answer={answer} />
        </>
      )}
    </>
  )
}

function NoBlocks({ refreshed, view }: { refreshed: boolean; view: 'global' | 'loaded' }) {
  if (!refreshed) {
    return (
      <Empty title="Nobody has looked into the bucket yet.">
        {view === 'loaded'
          ? 'The first look may take a while; the page asks again by itself. The viewer of buckets loads none.'
          : 'The first look may take a while; the page asks again by itself. A store gateway only knows what it loaded: see the loaded blocks.'}
      </Empty>
    )
  }
  return (
    <Empty title="There are no blocks.">
      A sidecar uploads the first one when Prometheus has finished it, after two hours, if it was started with{' '}
      <code>--objstore.config-file</code>. Filters such as <code>--selector.relabel-config</code> and{' '}
      <code>--min-time</code> may leave out all there are.
    </Empty>
  )
}

function Blocks({ answer }: { answer: BlocksAnswer }) {
  const url = useUrlState()
  const { blocks, groupLabel } = answer
  const search = url.text('search')
  const levels = useUrlList(url, 'level')
  const resolutions = useUrlList(url, 'resolution')
  const found = useDeferredValue(
    useMemo(
      () =>
        filterBlocks(blocks, {
          search,
          levels: new Set(levels.map(Number)),
          resolutions: new Set(resolutions.map(Number)),
        }),
      [blocks, search, levels, resolutions],
    ),
  )
  const layout = useMemo(() => layOut(found, groupLabel), [found, groupLabel])
  const scene = useMemo(() => makeScene(layout), [layout])
  const bounds = useMemo(() => windowAround(blocks) ?? { fromMs: 0, toMs: 1 }, [blocks])
  const [window, setWindow] = useUrlWindow(url, bounds)
  const byUlid = useMemo(() => new Map(blocks.map((block) => [block.ulid, block])), [blocks])
  const selected = byUlid.get(url.text('block')) ?? null
  const open = useCallback(
    (ulid: string | null) => {
      url.set({ block: ulid })
    },
    [url],
  )
  const asList = url.text('as') === 'list'
  return (
    <>
      <BlockFilters blocks={blocks} url={url} search={search} levels={levels} resolutions={resolutions} />
      <Group justify="space-between" gap="xs">
        <Shown shown={found.length} all={blocks.length} what="blocks" />
        <Group gap="xs">
          {!asList && (
            <>
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => {
                  setWindow(zoom(window, 0.5, 0.5, bounds))
                }}
              >
                Zoom in
              </Button>
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => {
                  setWindow(zoom(window, 2, 0.5, bounds))
                }}
              >
                Zoom out
              </Button>
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => {
                  setWindow(bounds)
                }}
              >
                Show all
              </Button>
            </>
          )}
          <SegmentedControl
            size="xs"
            aria-label="View"
            data={[
              { value: 'timeline', label: 'Time axis' },
              { value: 'list', label: 'List' },
            ]}
            value={asList ? 'list' : 'timeline'}
            onChange={(value) => {
              url.set({ as: value === 'list' ? 'list' : null })
            }}
          />
        </Group>
      </Group>
      <Faults layout={layout} onShow={setWindow} />
      {found.length === 0 ? (
        <Empty title="No block matches.">Change the search, or choose other levels and resolutions.</Empty>
      ) : asList ? (
        <BlockList
          blocks={found}
          layout={layout}
          onOpen={open}
          onPick={(text) => {
            url.set({ search: text })
          }}
        />
      ) : (
        <>
          <Legend resolutions={resolutionsOf(found)} />
          <BlocksTimeline
            layout={layout}
            scene={scene}
            bounds={bounds}
            window={window}
            onWindow={setWindow}
            selected={selected}
            onOpen={(block) => {
              open(block.ulid)
            }}
          />
        </>
      )}
      <BlockDetails
        block={selected}
        layout={layout}
        canMark={readConfig().adminOperations}
        onClose={() => {
          open(null)
        }}
        onOpen={open}
        isShown={(ulid) => byUlid.has(ulid)}
      />
    </>
  )
}

interface BlockFiltersProps {
  blocks: readonly Block[]
  url: UrlState
  search: string
  levels: readonly string[]
  resolutions: readonly string[]
}

function BlockFilters({ blocks, url, search, levels, resolutions }: BlockFiltersProps) {
  const levelCounts = useMemo(() => countBy(blocks, (block) => String(block.level)), [blocks])
  const resolutionCounts = useMemo(() => countBy(blocks, (block) => String(block.resolutionMs)), [blocks])
  const levelChoices = useMemo(() => levelsOf(blocks).map(String), [blocks])
  const resolutionChoices = useMemo(() => resolutionsOf(blocks), [blocks])
  return (
    <Filters>
      <SearchField
        label="Search blocks"
        placeholder='ID, source or cluster="eu1"'
        value={search}
        onChange={(text) => {
          url.set({ search: text })
        }}
      />
      <Choices
        label="Level"
        choices={levelChoices.map((level) => ({ value: level, label: level, count: levelCounts.get(level) ?? 0 }))}
        chosen={levels}
        onChange={(chosen) => {
          url.set({ level: chosen })
        }}
      />
      <Choices
        label="Resolution"
        choices={resolutionChoices.map((ms) => ({
          value: String(ms),
          label: formatResolution(ms),
          count: resolutionCounts.get(String(ms)) ?? 0,
        }))}
        chosen={resolutions}
        onChange={(chosen) => {
          url.set({ resolution: chosen })
        }}
      />
    </Filters>
  )
}

function Legend({ resolutions }: { resolutions: readonly number[] }) {
  const colours = coloursOf(useComputedColorScheme('light'))
  return (
    <ul className="av-legend" aria-label="Colours">
      {resolutions.map((ms) => (
        <li key={ms}>
          <span style={{ background: resolutionColour(colours, ms) }} />
          {formatResolution(ms)}
        </li>
      ))}
      <li>
        <span style={{ background: colours.overlap, height: 4 }} />
        overlap
      </li>
      <li>
        <span style={{ background: colours.gap, height: 4 }} />
        gap
      </li>
      <li>
        <span style={{ background: colours.raw, opacity: 0.45 }} />
        in a larger block too
      </li>
    </ul>
  )
}
