import { createTheme, MantineProvider } from '@mantine/core'
import '@mantine/core/styles.css'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter } from 'react-router-dom'
import { readConfig, readNonce } from './parts/config'
import { App } from './shell/App'
import { pagesOf } from './shell/pages'

// Blue that can be read on the tinted ground of the current page, too.
const theme = createTheme({ primaryShade: { light: 9, dark: 8 }, respectReducedMotion: true })
// Where react-remove-scroll, which dialogs use, looks for it.
Object.assign(globalThis, { __webpack_nonce__: readNonce() })
const base = new URL(document.baseURI).pathname.replace(/\/$/, '')
const client = new QueryClient({ defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false } } })
const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={readNonce}>
        <QueryClientProvider client={client}>
          <BrowserRouter basename={base} future={{ v7_startTransition: true, v7_relativeSplatPath: true }}>
            <App pages={pagesOf(readConfig().component)} />
          </BrowserRouter>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  )
}
