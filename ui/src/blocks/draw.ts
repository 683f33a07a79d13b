// Draws the part of the scene of blocks that is seen.
import type { Block } from '../answers/blocks'
import { formatBytes, plural } from '../parts/format'
import { positionOf, ticks, type Window } from '../timeline/axis'
import { resolutionColour, type Colours } from './colours'
import { sourceName } from './describe'
import type { BlockLayout } from './layout'
import { BAR_HEIGHT, barsOf, laneTop, rowsBetween, stripesOf, type Scene, type SceneRow } from './scene'

export interface View {
  readonly scene: Scene
  readonly layout: BlockLayout
  readonly window: Window
  readonly width: number // px
  readonly height: number
  readonly scrollTop: number
  readonly colours: Colours
  readonly selected: Block | null
}

const FONT = '12px system-ui, sans-serif'

export function draw(context: CanvasRenderingContext2D, view: View): void {
  const { colours, width, height } = view
  context.fillStyle = colours.ground
  context.fillRect(0, 0, width, height)
  context.fillStyle = colours.line
  for (const tick of ticks(view.window, width / 90)) {
    context.fillRect(Math.round(positionOf(view.window, tick.ms) * width), 0, 1, height)
  }
  context.save()
  context.translate(0, -view.scrollTop)
  for (const row of rowsBetween(view.scene, view.scrollTop, view.scrollTop + height)) {
    if (row.kind === 'source') drawSource(context, view, row)
    else drawLevel(context, view, row)
  }
  context.restore()
}

function drawSource(context: CanvasRenderingContext2D, view: View, row: SceneRow): void {
  const { colours, width, window } = view
  const { source } = row
  context.fillStyle = colours.line
  context.fillRect(0, row.top, width, 1)
  const counts = `${plural(source.count, 'block')}, ${formatBytes(source.bytes)}`
  context.font = FONT
  context.textBaseline = 'middle'
  context.fillStyle = colours.quiet
  const countsWidth = context.measureText(counts).width
  context.textAlign = 'right'
  context.fillText(counts, width - 6, row.top + 14)
  context.textAlign = 'left'
  context.fillStyle = colours.text
  context.font = `600 ${FONT}`
  context.fillText(fitText(context, sourceName(source.labels), width - countsWidth - 24), 6, row.top + 14)
  // The strip below the name: where this source has a fault.
  for (const stripe of stripesOf(source, window, width)) {
    context.fillStyle = stripe.fault.kind === 'gap' ? colours.gap : colours.overlap
    context.fillRect(stripe.x, row.top + 26, stripe.width, 4)
  }
}

// Cuts text that is too wide; hostile labels can be megabytes long.
function fitText(context: CanvasRenderingContext2D, text: string, width: number): string {
  let shown = text.length > 400 ? `${text.slice(0, 400)}…` : text
  while (shown.length > 2 && context.measureText(shown).width > width) {
    shown = `${shown.slice(0, Math.floor(shown.length * 0.85))}…`
  }
  return shown
}

function drawLevel(context: CanvasRenderingContext2D, view: View, row: SceneRow & { kind: 'level' }): void {
  const { colours, layout, window, width } = view
  // A gap is a hole through all rows of its source; the shade leads the eye to it.
  context.globalAlpha = 0.14
  for (const stripe of stripesOf(row.source, window, width)) {
    context.fillStyle = stripe.fault.kind === 'gap' ? colours.gap : colours.overlap
    context.fillRect(stripe.x, row.top, stripe.width, row.height)
  }
  context.globalAlpha = 1
  row.row.lanes.forEach((lane, index) => {
    const top = laneTop(row, index)
    for (const { block, x, width: barWidth } of barsOf(lane, window, width)) {
      context.fillStyle = resolutionColour(colours, block.resolutionMs)
      context.fillRect(x, top, barWidth, BAR_HEIGHT)
      if (layout.superseded.has(block)) {
        context.fillStyle = colours.superseded
        context.fillRect(x, top, barWidth, BAR_HEIGHT)
      }
      if (layout.overlapping.has(block)) {
        context.fillStyle = colours.overlap
        context.fillRect(x, top + BAR_HEIGHT - 3, barWidth, 3)
      }
      if (block === view.selected) {
        context.strokeStyle = colours.selected
        context.lineWidth = 2
        context.strokeRect(x - 1, top - 1, barWidth + 2, BAR_HEIGHT + 2)
      }
    }
  })
  context.font = FONT
  context.textAlign = 'left'
  context.textBaseline = 'middle'
  const label = `level ${String(row.row.level)}`
  context.fillStyle = colours.ground
  context.globalAlpha = 0.8
  context.fillRect(2, laneTop(row, 0) - 1, context.measureText(label).width + 8, BAR_HEIGHT + 2)
  context.globalAlpha = 1
  context.fillStyle = colours.quiet
  context.fillText(label, 6, laneTop(row, 0) + BAR_HEIGHT / 2)
}
