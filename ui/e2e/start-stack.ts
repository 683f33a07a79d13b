// Starts the installation before the tests, and ends it after them.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { publishStack, type StackUrls } from './stack.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

function findBinary(): string {
  const named = process.env['AEVUM_BINARY']
  const places = named ? [named] : ['dev', 'release'].map((preset) => `${root}/build/${preset}/aevum`)
  const found = places.find((place) => existsSync(place))
  if (!found) throw new Error(`there is no aevum to test (${places.join(', ')}); build it, or name it by AEVUM_BINARY`)
  return found
}

export default async function startStack(): Promise<() => Promise<void>> {
  const bucket = process.env['AEVUM_WEB_BUCKET'] // another bucket than that of testdata
  const child = spawn('python3', [`${root}/test/e2e/web_stack.py`, ...(bucket ? ['--bucket', bucket] : [])], {
    env: { ...process.env, AEVUM_BINARY: findBinary() },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const first = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    void ended.then((status) => reject(new Error(`web_stack.py ended with status ${status}`)))
  })
  const urls = JSON.parse(first) as StackUrls
  publishStack(urls)
  const end = async (): Promise<void> => {
    child.stdin.end()
    await ended
  }
  const page = await fetch(`${urls.query}/graph`)
  if (!page.ok) {
    await end()
    throw new Error(`the pages are not in this build of aevum: ${await page.text()}`)
  }
  return end
}
