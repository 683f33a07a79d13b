import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { notice, packageFolder } from './licenses'

describe('packageFolder', () => {
  it.each([
    ['/a/ui/node_modules/react/index.js', '/a/ui/node_modules/react'],
    ['\0/a/ui/node_modules/react/index.js?commonjs-module', '/a/ui/node_modules/react'],
    ['/a/node_modules/@mantine/core/esm/Button.mjs', '/a/node_modules/@mantine/core'],
    ['/a/node_modules/x/node_modules/y/lib/z.css', '/a/node_modules/x/node_modules/y'],
    ['/a/ui/src/main.tsx', undefined],
    ['\0commonjsHelpers.js', undefined],
    ['/a/node_modules/react', undefined],
  ])('%s', (id, folder) => {
    expect(packageFolder(id)).toBe(folder)
  })
})

describe('notice', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'licenses-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })
  const write = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  }

  it('has the texts of a package', () => {
    write({
      'package.json': '{"name": "x", "version": "1.2.3", "license": "MIT"}',
      'LICENSE.md': 'Copyright somebody\n',
      NOTICE: 'And a notice\n',
      'index.js': '',
    })
    expect(notice(folder)).toBe('x 1.2.3 (MIT)\n\nCopyright somebody\n\nAnd a notice')
  })

  it.each([['"GPL-3.0"'], ['null'], ['""']])('refuses the licence %s', (license) => {
    write({ 'package.json': `{"name": "x", "version": "1.2.3", "license": ${license}}` })
    expect(() => notice(folder)).toThrow('x 1.2.3: its licence')
  })
})
