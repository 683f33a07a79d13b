// The installation that test/e2e/web_stack.py runs for the tests.

export interface StackUrls {
  query: string
  prefixed: string // another querier, with a prefix
  store: string
  bucket: string
  control: string
  folder: string // of the bucket
}

const variable = 'AEVUM_WEB_STACK'

export function publishStack(urls: StackUrls): void {
  process.env[variable] = JSON.stringify(urls)
}

export function stackUrls(): StackUrls {
  const text = process.env[variable]
  if (!text) throw new Error('the installation was not started')
  return JSON.parse(text) as StackUrls
}

async function control(action: 'stop' | 'start', name: string): Promise<void> {
  const answer = await fetch(`${stackUrls().control}/${action}?name=${name}`, { method: 'POST' })
  if (!answer.ok) throw new Error(`${action} ${name}: ${answer.status} ${await answer.text()}`)
}

// Runs something while a process of the installation is gone.
export async function without(name: string, body: () => Promise<void>): Promise<void> {
  await control('stop', name)
  try {
    await body()
  } finally {
    await control('start', name)
  }
}

// `data` of an answer of the API.
export async function api<T>(base: string, path: string, params: Record<string, string> = {}): Promise<T> {
  const answer = await fetch(`${base}/api/v1/${path}?${new URLSearchParams(params)}`)
  const body = (await answer.json()) as { status: string; data: T; error?: string }
  if (body.status !== 'success') throw new Error(`${path}: ${body.error}`)
  return body.data
}
