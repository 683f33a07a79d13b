import { Anchor } from '@mantine/core'

// A URL that came from outside: a link if it leads to a web page, text if it could do anything else.
export function SafeLink({ url }: { url: string }) {
  const target = webAddress(url)
  if (target === null) return <span className="av-break">{url}</span>
  return (
    <Anchor
      href={target}
      target="_blank"
      rel="noopener noreferrer nofollow"
      className="av-break"
      underline="always"
      inherit
    >
      {url}
    </Anchor>
  )
}

export function webAddress(text: string): string | null {
  // What browsers would skip or take for a slash must not hide the scheme.
  if (!/^https?:\/\/[^\s\\]+$/i.test(text)) return null
  try {
    const url = new URL(text)
    return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === ''
      ? url.href
      : null
  } catch {
    return null
  }
}
