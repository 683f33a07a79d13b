// Collects the licence notices of the packages in the bundle into licenses.txt, which goes out with it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

// What may be in a program under Apache-2.0 with no more than its notice.
const allowed = new Set(['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'Zlib'])

// The folder of the package that a module is from; undefined for our own and for virtual modules.
export function packageFolder(moduleId: string): string | undefined {
  const path = moduleId.replace(/^\0/, '').replace(/\?.*$/, '')
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0]
}

// Name, version, licence and the notices of a package.
export function notice(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string
    version: string
    license?: string
  }
  const title = `${manifest.name} ${manifest.version}`
  if (!manifest.license || !allowed.has(manifest.license)) {
    throw new Error(`${title}: its licence '${manifest.license ?? 'none'}' is not among those that may be bundled`)
  }
  const texts = readdirSync(folder)
    .filter((name) => /^(licen[cs]e|copying|notice)/i.test(name))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8').trim())
  return [`${title} (${manifest.license})`, ...texts].join('\n\n')
}

export function licenses(): Plugin {
  return {
    name: 'licenses',
    apply: 'build',
    generateBundle() {
      const folders = new Set<string>()
      for (const id of this.getModuleIds()) {
        const folder = packageFolder(id)
        if (folder && existsSync(join(folder, 'package.json'))) folders.add(folder)
      }
      const notices = [...folders].map(notice).sort()
      const line = '-'.repeat(80)
      this.emitFile({
        type: 'asset',
        fileName: 'licenses.txt',
        source: `Packages in the web application of Aevum, and their licences.\n\n${line}\n${notices.join(`\n\n${line}\n`)}\n`,
      })
    },
  }
}
