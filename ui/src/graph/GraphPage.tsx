import { Button } from '@mantine/core'
import { startTransition, useMemo, useState } from 'react'
import { useSearchParams } from 'react-router-dom'
import { Page } from '../parts/Page'
import { PanelCard } from './PanelCard'
import { MOST_PANELS, NEW_PANEL, readPanels, writePanels, type Panel } from './panels'
import './graph.css'

// Queries and their answers. All of it is in the address.
export default function GraphPage() {
  const [params, setParams] = useSearchParams()
  const panels = useMemo(() => readPanels(params), [params])
  const { keys, removeKey } = usePanelKeys(panels.length)
  const update = (changed: readonly Panel[], replace = false) => setParams(writePanels(changed), { replace })
  return (
    <Page title="Graph" about="Queries over all stores, as tables, graphs and plans.">
      {panels.map((panel, at) => (
        <PanelCard
          key={keys[at]}
          number={at + 1}
          panel={panel}
          onChange={(change, replace) =>
            update(
              panels.map((other, index) => (index === at ? { ...other, ...change } : other)),
              replace,
            )
          }
          onRemove={
            panels.length === 1
              ? null
              : () => {
                  // Both at once: the address changes in a transition, too.
                  startTransition(() => {
                    removeKey(at)
                    update(panels.filter((_, index) => index !== at))
                  })
                }
          }
        />
      ))}
      <Button
        variant="default"
        style={{ alignSelf: 'flex-start' }}
        disabled={panels.length >= MOST_PANELS}
        onClick={() => {
          const last = panels.at(-1) ?? NEW_PANEL
          update([...panels, { ...NEW_PANEL, view: last.view, rangeMs: last.rangeMs, endMs: last.endMs }])
        }}
      >
        Add panel
      </Button>
    </Page>
  )
}

// A name for each panel that it keeps when another one is removed.
function usePanelKeys(count: number) {
  const [keys, setKeys] = useState<{ list: readonly number[]; next: number }>({ list: [], next: 0 })
  if (keys.list.length !== count) {
    const added = Array.from({ length: Math.max(count - keys.list.length, 0) }, (_, at) => keys.next + at)
    setKeys({ list: [...keys.list.slice(0, count), ...added], next: keys.next + added.length })
  }
  const removeKey = (at: number) => setKeys({ ...keys, list: keys.list.filter((_, index) => index !== at) })
  return { keys: keys.list, removeKey }
}
