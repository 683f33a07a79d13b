// The editor of expressions: PromQL in colours, completion, and errors where they are.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from '@codemirror/commands'
import { bracketMatching, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { linter, lintKeymap } from '@codemirror/lint'
import { EditorState, Prec } from '@codemirror/state'
import { drawSelection, EditorView, keymap, placeholder } from '@codemirror/view'
import { PromQLExtension } from '@prometheus-io/codemirror-promql'
import { useEffect, useRef } from 'react'
import { readNonce } from '../parts/config'
import { editorTheme, promqlColours } from './editorTheme'
import { syntaxFaults } from './syntax'

// How long typing pauses before the server is asked whether the text is right.
const PAUSE_MS = 300

export interface EditorProps {
  value: string
  label: string
  onChange: (value: string) => void
  onRun: (value: string) => void
}

// Enter runs the expression, Shift and Enter makes a line.
export function Editor({ value, label, onChange, onRun }: EditorProps) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const handlers = useRef({ onChange, onRun })
  const first = useRef({ value, label })
  useEffect(() => {
    handlers.current = { onChange, onRun }
  })
  useEffect(() => {
    if (!place.current) return
    const promql = new PromQLExtension()
      .activateCompletion(true)
      .activateLinter(false)
      .setComplete({ remote: remote() })
    const editor = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: first.current.value,
        extensions: [
          EditorView.cspNonce.of(readNonce()),
          EditorView.contentAttributes.of({ 'aria-label': first.current.label }),
          EditorView.lineWrapping,
          editorTheme,
          syntaxHighlighting(promqlColours),
          placeholder('Expression (Enter runs it, Shift+Enter makes a line)'),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          promql.asExtension(),
          linter(syntaxFaults, { delay: PAUSE_MS }),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
          // Above the keys of the editor, below those of an open list of completions.
          Prec.high(
            keymap.of([
              { key: 'Enter', run: (at) => (handlers.current.onRun(at.state.doc.toString()), true) },
              { key: 'Shift-Enter', run: insertNewlineAndIndent },
            ]),
          ),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) handlers.current.onChange(update.state.doc.toString())
          }),
        ],
      }),
    })
    view.current = editor
    return () => {
      promql.destroy()
      editor.destroy()
      view.current = null
    }
  }, [])
  // A value from elsewhere: the history, the formatter, the address.
  useEffect(() => {
    const editor = view.current
    if (!editor || editor.state.doc.toString() === value) return
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } })
  }, [value])
  return <div ref={place} className="av-editor" />
}

function remote() {
  return {
    // The client puts its paths behind this one.
    url: new URL(document.baseURI).pathname.replace(/\/$/, ''),
    fetchFn: (input: RequestInfo, init?: RequestInit) => fetch(input, init),
    httpMethod: 'GET' as const,
    // Without completion one types on; the query itself says what is wrong with the server.
    httpErrorHandler: () => undefined,
  }
}
