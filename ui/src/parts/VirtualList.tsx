import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef, type ReactNode } from 'react'
import './parts.css'

export interface VirtualListProps<T> {
  items: readonly T[]
  label: string
  keyOf: (item: T) => string
  render: (item: T, index: number) => ReactNode
  rowHeight: number // px; of rows that grow: about how high they are
  grows?: boolean
  height: number | string
}

// A list of any length, of which only what is seen is made. The scroll area takes the focus, so that
// the keys scroll it.
export function VirtualList<T>({ items, label, keyOf, render, rowHeight, grows = false, height }: VirtualListProps<T>) {
  const area = useRef<HTMLDivElement>(null)
  const virtualizer = useVirtualizer({
    count: items.length,
    getScrollElement: () => area.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => {
      const item = items[index]
      return item === undefined ? index : keyOf(item)
    },
    overscan: 8,
    initialRect: { width: 800, height: 600 },
  })
  return (
    <div ref={area} className="av-virtual" style={{ height }} tabIndex={0} role="region" aria-label={label}>
      <div role="list" style={{ height: virtualizer.getTotalSize(), position: 'relative', width: '100%' }}>
        {virtualizer.getVirtualItems().map((row) => {
          const item = items[row.index]
          return (
            item !== undefined && (
              <div
                key={row.key}
                data-index={row.index}
                ref={grows ? virtualizer.measureElement : undefined}
                role="listitem"
                aria-setsize={items.length}
                aria-posinset={row.index + 1}
                style={{
                  position: 'absolute',
                  top: 0,
                  left: 0,
                  right: 0,
                  ...(grows ? {} : { height: row.size }),
                  transform: `translateY(${String(row.start)}px)`,
                }}
              >
                {render(item, row.index)}
              </div>
            )
          )
        })}
      </div>
    </div>
  )
}
