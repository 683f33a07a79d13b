import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { licenses } from './licenses.ts'

// The server that `npm run dev` asks: a querier, a store gateway or a bucket viewer.
const server = process.env['AEVUM_URL'] ?? 'http://localhost:10902'

// Fills in what the server does, when there is no server of ours before the page.
function placeholders(): Plugin {
  const config = JSON.stringify({
    prefix: '',
    component: process.env['AEVUM_COMPONENT'] ?? 'query',
    adminOperations: true,
  })
  return {
    name: 'placeholders',
    apply: 'serve',
    transformIndexHtml: (html) =>
      html.replace('__AEVUM_BASE__', '/').replace('__AEVUM_CONFIG__', config).replace('__AEVUM_NONCE__', ''),
  }
}

export default defineConfig({
  // Addresses are relative to <base>, which the server fills in.
  base: './',
  plugins: [react(), licenses(), placeholders()],
  server: { proxy: { '/api': server, '/metrics': server } },
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}', '*.test.ts'],
    setupFiles: ['./vitest.setup.ts'],
    css: false,
    // The processor may be busy with something else.
    testTimeout: 60_000,
    // In Node they would come as CommonJS, with a second instance of CodeMirror.
    alias: [{ find: /^(@prometheus-io\/codemirror-promql)$/, replacement: '$1/dist/esm/index.js' }],
    server: { deps: { inline: [/@prometheus-io\//] } },
  },
})
