import { HighlightStyle } from '@codemirror/language'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

// Colours are those of graph.css, which knows light and dark.
export const editorTheme = EditorView.theme({
  '&': { fontSize: '14px', backgroundColor: 'transparent' },
  '&.cm-focused': { outline: 'none' },
  '.cm-content': { fontFamily: 'var(--mantine-font-family-monospace)', padding: '8px 4px', caretColor: 'currentcolor' },
  '.cm-cursor': { borderLeftColor: 'currentcolor' },
  '.cm-placeholder': { color: 'var(--av-quiet)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--mantine-color-body)',
    color: 'var(--mantine-color-text)',
    border: '1px solid var(--av-line)',
    maxWidth: 'min(640px, 95vw)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': {
    fontFamily: 'var(--mantine-font-family-monospace)',
    maxHeight: '320px',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--av-note)',
    color: 'var(--av-note-text)',
  },
  '.cm-completionDetail': { color: 'var(--av-quiet)', marginLeft: '12px' },
  '.cm-completionInfo': { overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' },
  '.cm-completionMatchedText': { fontWeight: 'bold', textDecoration: 'none' },
  '.cm-diagnostic': { overflowWrap: 'anywhere' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': {
    backgroundColor: 'var(--av-note)',
    color: 'var(--av-note-text)',
  },
})

export const promqlColours = HighlightStyle.define([
  { tag: tags.number, color: 'var(--av-code-number)' },
  { tag: tags.string, color: 'var(--av-code-string)' },
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--av-code-keyword)', fontWeight: '600' },
  { tag: tags.function(tags.variableName), color: 'var(--av-code-function)' },
  { tag: tags.labelName, color: 'var(--av-code-label)' },
  { tag: tags.comment, color: 'var(--av-quiet)', fontStyle: 'italic' },
  { tag: tags.invalid, color: 'var(--av-bad-text)' },
])
