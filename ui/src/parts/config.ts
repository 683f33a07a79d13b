// What the server tells the application in the page itself.
import { asObject, asText } from '../answers/values'

export interface Config {
  readonly component: string
  readonly adminOperations: boolean // whether blocks may be marked
}

export function readConfig(): Config {
  const config = parse(document.getElementById('aevum-config')?.textContent ?? '')
  return {
    component: asText(config['component']),
    adminOperations: config['adminOperations'] === true,
  }
}

function parse(text: string) {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return {}
  }
}

// What styles that are added to the page must carry, or the browser ignores them.
export function readNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="aevum-nonce"]')?.content ?? ''
}
