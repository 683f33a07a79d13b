import { useComputedColorScheme } from '@mantine/core'
import { useCallback, useEffect, useId, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react'
import type { Block } from '../answers/blocks'
import { instantAt, pan, within, zoom, type Window } from '../timeline/axis'
import { TimeAxis } from '../timeline/TimeAxis'
import { coloursOf } from './colours'
import { describeBlock } from './describe'
import { draw } from './draw'
import type { BlockLayout } from './layout'
import { blockAt, neighbour, placeOf, type Direction, type Scene } from './scene'
import './blocks.css'

export interface BlocksTimelineProps {
  layout: BlockLayout
  scene: Scene
  bounds: Window // of all blocks
  window: Window // what is seen
  onWindow: (window: Window) => void
  selected: Block | null
  onOpen: (block: Block) => void
}

const KEYS: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  Home: 'first',
  End: 'last',
}

// A pointer that moved less has clicked.
const DRAG_PX = 5

// The picture of all blocks. It is drawn on a canvas as large as what is seen, which stays in view
// while the area scrolls below it, so that its cost does not depend on the number of blocks.
export function BlocksTimeline(props: BlocksTimelineProps) {
  const { layout, scene, bounds, window, onWindow, selected, onOpen } = props
  const area = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const help = useId()
  const scheme = useComputedColorScheme('light')
  const [size, setSize] = useState({ width: 0, height: 0 })
  const [scrollTop, setScrollTop] = useState(0)
  const [cursor, setCursor] = useState<Block | null>(selected)
  const [pointed, setPointed] = useState<Block | null>(null)
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null)

  useEffect(() => {
    const element = area.current
    if (!element) return
    const measure = () => {
      setSize({ width: element.clientWidth, height: element.clientHeight })
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => {
      observer.disconnect()
    }
  }, [])

  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const element = canvas.current
      const context = element?.getContext('2d')
      if (!element || !context || size.width === 0) return
      const scale = globalThis.devicePixelRatio || 1
      element.width = Math.round(size.width * scale)
      element.height = Math.round(size.height * scale)
      context.setTransform(scale, 0, 0, scale, 0, 0)
      draw(context, {
        scene,
        layout,
        window,
        scrollTop,
        width: size.width,
        height: size.height,
        colours: coloursOf(scheme),
        selected: cursor ?? selected,
      })
    })
    return () => {
      cancelAnimationFrame(frame)
    }
  }, [scene, layout, window, scrollTop, size, scheme, cursor, selected])

  // React's own handler of the wheel can't keep the browser from zooming the page.
  const state = useRef({ window, bounds, onWindow })
  state.current = { window, bounds, onWindow }
  useEffect(() => {
    const element = area.current
    if (!element) return
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return
      event.preventDefault()
      const position = (event.clientX - element.getBoundingClientRect().left) / element.clientWidth
      const now = state.current
      now.onWindow(zoom(now.window, Math.exp(event.deltaY / 300), position, now.bounds))
    }
    element.addEventListener('wheel', onWheel, { passive: false })
    return () => {
      element.removeEventListener('wheel', onWheel)
    }
  }, [])

  const show = useCallback(
    (block: Block) => {
      setCursor(block)
      const place = placeOf(scene, block)
      const row = place && scene.rows[place.row]
      const element = area.current
      if (
        row &&
        element &&
        (row.top < element.scrollTop || row.top + row.height > element.scrollTop + element.clientHeight)
      ) {
        element.scrollTop = Math.max(0, row.top - element.clientHeight / 2)
      }
      if (block.maxMs <= window.fromMs || block.minMs >= window.toMs) {
        const span = window.toMs - window.fromMs
        const fromMs = (block.minMs + block.maxMs - span) / 2
        onWindow(within({ fromMs, toMs: fromMs + span }, bounds))
      }
    },
    [scene, window, bounds, onWindow],
  )

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const direction = KEYS[event.key]
    if (event.shiftKey && (direction === 'left' || direction === 'right')) {
      onWindow(pan(window, direction === 'left' ? -0.25 : 0.25, bounds))
    } else if (direction) {
      const next = neighbour(scene, cursor ?? selected, direction)
      if (next) show(next)
    } else if (event.key === 'Enter' || event.key === ' ') {
      if (cursor) onOpen(cursor)
    } else if (event.key === '+' || event.key === '=') {
      onWindow(zoom(window, 0.5, 0.5, bounds))
    } else if (event.key === '-') {
      onWindow(zoom(window, 2, 0.5, bounds))
    } else if (event.key === '0') {
      onWindow(bounds)
    } else {
      return
    }
    event.preventDefault()
  }

  const pointOf = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top + scrollTop }
  }
  const find = (event: PointerEvent): Block | null => {
    const { x, y } = pointOf(event)
    return size.width === 0 ? null : blockAt(scene, window, size.width, x, y)
  }
  const onPointerUp = (event: PointerEvent) => {
    const done = drag
    setDrag(null)
    if (done && Math.abs(done.to - done.from) >= DRAG_PX) {
      const [from, to] = [Math.min(done.from, done.to), Math.max(done.from, done.to)]
      const fromMs = instantAt(window, from / size.width)
      onWindow(within({ fromMs, toMs: instantAt(window, to / size.width) }, bounds))
      return
    }
    const block = find(event)
    if (!block) return
    setCursor(block)
    onOpen(block)
  }

  return (
    <div>
      <TimeAxis window={window} most={Math.max(2, Math.floor(size.width / 110))} />
      <div
        ref={area}
        className="av-blocks av-virtual"
        role="application"
        aria-label="Blocks on a time axis"
        aria-describedby={help}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onScroll={(event) => {
          setScrollTop(event.currentTarget.scrollTop)
        }}
      >
        <canvas
          ref={canvas}
          className="av-blocks-canvas"
          data-pointed={pointed !== null}
          aria-hidden="true"
          onPointerDown={(event) => {
            if (event.button !== 0 || event.pointerType !== 'mouse') return
            const { x } = pointOf(event)
            setDrag({ from: x, to: x })
          }}
          onPointerMove={(event) => {
            if (drag) setDrag({ from: drag.from, to: pointOf(event).x })
            setPointed(find(event))
          }}
          onPointerLeave={() => {
            setPointed(null)
            setDrag(null)
          }}
          onPointerUp={onPointerUp}
          style={{ width: size.width, height: size.height }}
        />
        {drag && Math.abs(drag.to - drag.from) >= DRAG_PX && (
          <div
            className="av-blocks-drag"
            style={{
              top: scrollTop,
              height: size.height,
              left: Math.min(drag.from, drag.to),
              width: Math.abs(drag.to - drag.from),
            }}
          />
        )}
        <div style={{ height: Math.max(0, scene.height - size.height) }} />
      </div>
      <p id={help} className="av-quiet av-blocks-help">
        Arrows go from block to block, Enter opens one; + and − zoom, 0 shows all, Shift with an arrow moves. With a
        mouse: drag over a range or turn the wheel with Ctrl to zoom.
      </p>
      <p className="av-blocks-line av-break">{pointed ? describeBlock(pointed, layout) : ''}</p>
      <p className="av-hidden" role="status" aria-live="polite">
        {cursor ? describeBlock(cursor, layout) : ''}
      </p>
    </div>
  )
}
