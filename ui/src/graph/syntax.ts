// Errors in an expression: the server's word and place, or without a server the places of our grammar.
import { syntaxTree } from '@codemirror/language'
import type { Diagnostic } from '@codemirror/lint'
import type { EditorView } from '@codemirror/view'
import { request, RequestError } from '../answers/request'

export async function syntaxFaults(view: EditorView): Promise<readonly Diagnostic[]> {
  const text = view.state.doc.toString()
  if (text.trim() === '') return []
  try {
    await request('api/v1/parse_query', { query: text }, { method: 'POST' })
    return []
  } catch (error) {
    if (error instanceof RequestError && error.status === 400) return [serverFault(text, error.message)]
    return grammarFaults(view)
  }
}

// The fault that a message names, '... 1:5: parse error: unexpected "x"': columns count bytes from 1.
export function serverFault(text: string, message: string): Diagnostic {
  const found = /(?:^|: )(\d+):(\d+): (?:parse error: )?(.*)$/s.exec(message)
  if (!found) return { from: 0, to: text.length, severity: 'error', message }
  const [, line = '1', column = '1', rest = ''] = found
  const at = placeOf(text, Number(line), Number(column))
  // A place behind the end is seen at the last character that is no blank.
  const from = Math.min(at, Math.max(text.trimEnd().length - 1, 0))
  return { from, to: wordEnd(text, from), severity: 'error', message: rest }
}

function placeOf(text: string, line: number, column: number): number {
  const lines = text.split('\n')
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0)
  const bytes = new TextEncoder().encode(lines[line - 1] ?? '').slice(0, Math.max(column - 1, 0))
  return before + new TextDecoder().decode(bytes).length
}

// The end of the word that begins here, so that more than a letter is marked.
function wordEnd(text: string, from: number): number {
  const word = /^[A-Za-z0-9_:]+/.exec(text.slice(from))?.[0].length ?? 1
  return Math.min(from + word, text.length)
}

function grammarFaults(view: EditorView): Diagnostic[] {
  const faults: Diagnostic[] = []
  const { length } = view.state.doc
  syntaxTree(view.state).iterate({
    enter({ type, from, to }) {
      if (!type.isError || faults.length > 0) return
      const start = Math.min(from, Math.max(length - 1, 0))
      faults.push({ from: start, to: Math.max(to, start + 1), severity: 'error', message: 'not expected here' })
    },
  })
  return faults
}
