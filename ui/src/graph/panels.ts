// The panels of the graph page, and their form in the address.
//
// The names are those of Prometheus and Thanos, "g0.expr" and so on, so that links to either open
// what they meant. What both write differently is read in all forms and written in one.
import { parseDuration, writeDuration } from './duration'
import { parseInstant, writeInstant } from './instant'

export type View = 'table' | 'graph' | 'explain'
export type Style = 'lines' | 'steps' | 'stacked' | 'heatmap'

export interface Panel {
  readonly expr: string
  readonly view: View
  readonly style: Style
  readonly rangeMs: number
  readonly endMs: number | null // of the range, and the instant of tables; null: now
  readonly stepMs: number | null // null: as fits the range
  readonly dedup: boolean
  // Null and "" leave it to the server in what follows.
  readonly partialResponse: boolean | null
  readonly replicaLabels: readonly string[] | null
  readonly engine: string
  readonly maxSourceResolution: string
  readonly stores: readonly string[] // addresses; none: all
  readonly explainInstant: boolean // explain the query of the table in place of that of the graph
  readonly analyze: boolean
  readonly legend: string // a search that series must match to be drawn
  readonly only: readonly string[] // names of series that are drawn; none: all
}

export const NEW_PANEL: Panel = {
  expr: '',
  view: 'table',
  style: 'lines',
  rangeMs: 3_600_000,
  endMs: null,
  stepMs: null,
  dedup: true,
  partialResponse: null,
  replicaLabels: null,
  engine: '',
  maxSourceResolution: '',
  stores: [],
  explainInstant: false,
  analyze: false,
  legend: '',
  only: [],
}

// More panels than anybody can see only stop the browser.
export const MOST_PANELS = 50
export const ENGINES = ['thanos', 'prometheus'] as const
export const RESOLUTIONS = ['auto', '0s', '5m', '1h'] as const

const VIEWS: ReadonlyMap<string, View> = new Map([
  ['0', 'graph'],
  ['graph', 'graph'],
  ['1', 'table'],
  ['table', 'table'],
  ['2', 'explain'],
  ['explain', 'explain'],
])
const STYLES: readonly Style[] = ['lines', 'steps', 'stacked', 'heatmap']

// At least one panel. What can't be read counts as absent.
export function readPanels(params: URLSearchParams): Panel[] {
  const numbers = new Set<number>()
  for (const name of params.keys()) {
    const number = /^g(\d{1,4})\./.exec(name)?.[1]
    if (number !== undefined) numbers.add(Number(number))
  }
  const panels = [...numbers].sort((a, b) => a - b).map((number) => readPanel(params, `g${number}.`))
  return panels.length === 0 ? [NEW_PANEL] : panels.slice(0, MOST_PANELS)
}

function readPanel(params: URLSearchParams, prefix: string): Panel {
  const get = (name: string) => params.get(prefix + name) ?? ''
  const labels = params.getAll(`${prefix}replica_labels`)
  return {
    expr: get('expr'),
    view: VIEWS.get(get('tab')) ?? NEW_PANEL.view,
    style: readStyle(get('display_mode'), get('stacked')),
    rangeMs: parseDuration(get('range_input')) ?? NEW_PANEL.rangeMs,
    endMs: readEnd(get('end_input'), get('moment_input'), VIEWS.get(get('tab')) ?? NEW_PANEL.view),
    stepMs: parseDuration(get('step_input')) ?? readFixedStep(get('res_type'), get('res_step')),
    dedup: readSwitch(get('deduplicate')) ?? true,
    partialResponse: readSwitch(get('partial_response')),
    replicaLabels: labels.length === 0 ? null : labels.filter((label) => label !== ''),
    engine: ENGINES.find((engine) => engine === get('engine')) ?? '',
    maxSourceResolution: readResolution(get('max_source_resolution')),
    stores: readStores(get('store_matches')),
    explainInstant: get('explain') === 'instant',
    analyze: readSwitch(get('analyze')) ?? false,
    legend: get('legend'),
    only: params.getAll(`${prefix}only`),
  }
}

// Others have an instant of tables beside the end of graphs; what the link shows counts.
function readEnd(end: string, moment: string, view: View): number | null {
  const [first, second] = view === 'table' ? [moment, end] : [end, moment]
  return parseInstant(first) ?? parseInstant(second)
}

function readStyle(mode: string, stacked: string): Style {
  return STYLES.find((style) => style === mode) ?? (readSwitch(stacked) ? 'stacked' : 'lines')
}

function readSwitch(text: string): boolean | null {
  if (text === '1' || text === 'true') return true
  if (text === '0' || text === 'false') return false
  return null
}

function readFixedStep(type: string, step: string): number | null {
  return type === 'fixed' || type === 'custom' ? parseDuration(step) : null
}

function readResolution(text: string): string {
  if (text === 'auto' || text === '0s' || text === '0') return text === '0' ? '0s' : text
  return parseDuration(text) === null ? '' : text
}

// A list of addresses, or of the objects that Thanos writes about stores.
function readStores(text: string): string[] {
  if (text === '') return []
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    return []
  }
  if (!Array.isArray(list)) return []
  return list.flatMap((item: unknown) => {
    const name = typeof item === 'object' && item !== null && 'name' in item ? item.name : item
    return typeof name === 'string' && name !== '' ? [name] : []
  })
}

// The address of panels: what is not said otherwise is left out.
export function writePanels(panels: readonly Panel[]): URLSearchParams {
  const params = new URLSearchParams()
  panels.forEach((panel, number) => {
    for (const [name, value] of writePanel(panel)) params.append(`g${number}.${name}`, value)
  })
  return params
}

function* writePanel(panel: Panel): Generator<readonly [string, string]> {
  yield ['expr', panel.expr]
  yield ['tab', panel.view]
  if (panel.style !== NEW_PANEL.style) yield ['display_mode', panel.style]
  yield ['range_input', writeDuration(panel.rangeMs)]
  if (panel.endMs !== null) {
    yield ['end_input', writeInstant(panel.endMs)]
    yield ['moment_input', writeInstant(panel.endMs)]
  }
  if (panel.stepMs !== null) yield ['step_input', String(panel.stepMs / 1000)]
  if (!panel.dedup) yield ['deduplicate', '0']
  if (panel.partialResponse !== null) yield ['partial_response', panel.partialResponse ? '1' : '0']
  if (panel.replicaLabels) for (const label of listed(panel.replicaLabels)) yield ['replica_labels', label]
  if (panel.engine !== '') yield ['engine', panel.engine]
  if (panel.maxSourceResolution !== '') yield ['max_source_resolution', panel.maxSourceResolution]
  if (panel.stores.length > 0) yield ['store_matches', JSON.stringify(panel.stores.map((name) => ({ name })))]
  if (panel.explainInstant) yield ['explain', 'instant']
  if (panel.analyze) yield ['analyze', '1']
  if (panel.legend !== '') yield ['legend', panel.legend]
  for (const name of panel.only) yield ['only', name]
}

// No label at all is something else than nothing said.
function listed(labels: readonly string[]): readonly string[] {
  return labels.length === 0 ? [''] : labels
}
