import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { licenses } from './licenses.ts'

export default defineConfig({
  // Addresses are relative to <base>, which the server fills in.
  base: './',
  plugins: [react(), licenses()],
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}', '*.test.ts'],
    setupFiles: ['./vitest.setup.ts'],
    css: false,
  },
})
