// Asks the API of the component that served the page.
import { asObject, asText, asTexts, type JsonObject } from './values'

export type Params = Readonly<Record<string, string | readonly string[] | undefined>>

export interface Answer {
  readonly data: unknown
  readonly warnings: readonly string[]
  readonly envelope: JsonObject // all of it, with what only some answers have
  readonly bytes: number // about how long it was, uncompressed
}

// Why there is no answer, and what the reader can do about it.
export class RequestError extends Error {
  constructor(
    message: string,
    readonly advice: string,
    readonly status: number, // 0: no answer at all
  ) {
    super(message)
    this.name = 'RequestError'
  }
}

export interface RequestOptions {
  readonly signal?: AbortSignal
  readonly method?: 'GET' | 'POST'
}

// `path` is relative to the prefix, under which the page was served: "api/v1/stores". Parameters
// without a value are left out. Throws a RequestError.
export async function request(path: string, params: Params = {}, options: RequestOptions = {}): Promise<Answer> {
  const response = await send(path, params, options)
  if (response.status === 204) return { data: undefined, warnings: [], envelope: {}, bytes: 0 }
  const text = await readText(response)
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw new RequestError(
      response.ok ? 'The answer is not JSON.' : text.trim().slice(0, 500) || response.statusText,
      adviceFor(response.status),
      response.status,
    )
  }
  const envelope = asObject(body)
  if (!response.ok || envelope['status'] !== 'success') {
    const message = asText(envelope['error']) || `The server answered ${String(response.status)}.`
    throw new RequestError(message, adviceFor(response.status), response.status)
  }
  return { data: envelope['data'], warnings: asTexts(envelope['warnings']), envelope, bytes: text.length }
}

// As `request`, for answers that are text, such as /metrics.
export async function requestText(path: string, options: RequestOptions = {}): Promise<string> {
  const response = await send(path, {}, options)
  const text = await readText(response)
  if (response.ok) return text
  throw new RequestError(`The server answered ${String(response.status)}.`, adviceFor(response.status), response.status)
}

async function send(path: string, params: Params, options: RequestOptions): Promise<Response> {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    for (const one of typeof value === 'string' ? [value] : (value ?? [])) search.append(name, one)
  }
  const url = new URL(path, document.baseURI)
  const init: RequestInit = { method: options.method ?? 'GET' }
  if (options.signal) init.signal = options.signal
  if (options.method === 'POST') init.body = search
  else url.search = search.toString()
  try {
    return await fetch(url, init)
  } catch (error) {
    throw unreachable(error)
  }
}

async function readText(response: Response): Promise<string> {
  try {
    return await response.text()
  } catch (error) {
    throw unreachable(error)
  }
}

function unreachable(error: unknown): unknown {
  if (error instanceof DOMException && error.name === 'AbortError') return error
  return new RequestError(
    'The server gave no answer.',
    'Check that it still runs and that you can reach it, then try again.',
    0,
  )
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return 'Sign in again, or ask who runs the server for access.'
  if (status === 404) return 'This component or version does not offer it; try another component.'
  if (status === 503) return 'It took too long or was cancelled. Ask for less, or try again later.'
  if (status >= 500) return 'Try again; if it stays so, the log of the server says more.'
  return 'Change what you asked for, then try again.'
}
