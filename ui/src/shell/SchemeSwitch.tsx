import { SegmentedControl, useMantineColorScheme, type MantineColorScheme } from '@mantine/core'

const SCHEMES: { value: MantineColorScheme; label: string }[] = [
  { value: 'auto', label: 'Auto' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
]

// Light, dark, or what the system has.
export function SchemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <SegmentedControl
      aria-label="Colours"
      size="xs"
      fullWidth
      data={SCHEMES}
      value={colorScheme}
      onChange={(scheme) => {
        setColorScheme(scheme as MantineColorScheme)
      }}
    />
  )
}
