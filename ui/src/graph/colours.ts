// Colours of series: neighbours differ much in hue, and each can be told from the ground.
const HUES = [212, 28, 145, 350, 265, 48, 185, 320, 95, 240, 10, 165]

export function colourOf(series: number, dark: boolean): string {
  const hue = HUES[series % HUES.length] ?? 0
  // Each further round is a shade apart.
  const round = Math.floor(series / HUES.length) % 3
  return dark ? `hsl(${hue} 70% ${68 - round * 9}%)` : `hsl(${hue} 72% ${36 + round * 8}%)`
}

// The same, so that what is behind it is seen.
export function fillOf(series: number, dark: boolean): string {
  return colourOf(series, dark).replace(')', ' / 0.35)')
}
