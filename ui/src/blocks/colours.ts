// The colours of the picture of blocks, which is drawn and so can't take them from a style sheet.

export interface Colours {
  readonly raw: string
  readonly fiveMinutes: string
  readonly oneHour: string
  readonly other: string
  readonly superseded: string // laid over
  readonly overlap: string
  readonly gap: string
  readonly line: string
  readonly text: string
  readonly quiet: string
  readonly ground: string
  readonly selected: string
}

// Bars have a contrast of at least 3 to the ground, text one of 4.5. The three resolutions differ in
// lightness as well, for those who don't see hues.
const LIGHT: Colours = {
  raw: '#1f5fbf',
  fiveMinutes: '#0b7f6b',
  oneHour: '#8a4fb8',
  other: '#6b7078',
  superseded: 'rgba(255, 255, 255, 0.55)',
  overlap: '#c01f1f',
  gap: '#9a5b00',
  line: '#d5d9de',
  text: '#1b1e22',
  quiet: '#52585f',
  ground: '#ffffff',
  selected: '#000000',
}

const DARK: Colours = {
  raw: '#6ea4f5',
  fiveMinutes: '#35c4a8',
  oneHour: '#c79bec',
  other: '#9aa1aa',
  superseded: 'rgba(36, 36, 36, 0.6)',
  overlap: '#ff7a7a',
  gap: '#f0b040',
  line: '#3d434b',
  text: '#e6e8eb',
  quiet: '#aab1ba',
  ground: '#242424',
  selected: '#ffffff',
}

export function coloursOf(scheme: 'light' | 'dark'): Colours {
  return scheme === 'dark' ? DARK : LIGHT
}

export function resolutionColour(colours: Colours, resolutionMs: number): string {
  if (resolutionMs === 0) return colours.raw
  if (resolutionMs === 300_000) return colours.fiveMinutes
  if (resolutionMs === 3_600_000) return colours.oneHour
  return colours.other
}
