import { forEachDiagnostic, forceLinting, type Diagnostic } from '@codemirror/lint'
import { currentCompletions, startCompletion } from '@codemirror/autocomplete'
import { EditorView } from '@codemirror/view'
import { act, render, screen, waitFor } from '@testing-library/react'
import { describe, expect, it, vi } from 'vitest'
import { failure, success } from '../parts/testing'
import { Editor } from './Editor'
import { serverFault } from './syntax'

// jsdom knows no places of texts.
Range.prototype.getClientRects = () => [] as unknown as DOMRectList
Range.prototype.getBoundingClientRect = () => new DOMRect()

function open(value: string, answer: (url: URL, body: URLSearchParams) => Response = () => success({})) {
  const asked: string[] = []
  vi.stubGlobal('fetch', (input: string | URL, init?: RequestInit) => {
    const url = new URL(input, document.baseURI)
    asked.push(url.pathname)
    return Promise.resolve(answer(url, new URLSearchParams(init?.body as URLSearchParams | undefined)))
  })
  const onChange = vi.fn()
  const onRun = vi.fn()
  const page = render(<Editor value={value} label="Expression" onChange={onChange} onRun={onRun} />)
  const view = EditorView.findFromDOM(page.container.querySelector<HTMLElement>('.cm-editor')!)!
  const press = (key: string, shiftKey = false) => {
    act(() => {
      view.contentDOM.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey, bubbles: true, cancelable: true }))
    })
  }
  return { ...page, view, onChange, onRun, asked, press }
}

function diagnostics(view: EditorView): Diagnostic[] {
  const all: Diagnostic[] = []
  forEachDiagnostic(view.state, (diagnostic, from, to) => all.push({ ...diagnostic, from, to }))
  return all
}

describe('the editor', () => {
  it('has a name, and the text', () => {
    open('sum(up)')
    expect(screen.getByRole('textbox', { name: 'Expression' })).toHaveTextContent('sum(up)')
  })

  it('tells what is typed, and runs it with Enter', () => {
    const { view, onChange, onRun, press } = open('up')
    act(() => {
      view.dispatch({ changes: { from: 2, insert: ' > 0' } })
    })
    expect(onChange).toHaveBeenLastCalledWith('up > 0')
    press('Enter', true)
    expect(onRun).not.toHaveBeenCalled()
    expect(view.state.doc.lines).toBe(2)
    press('Enter')
    expect(onRun).toHaveBeenCalledTimes(1)
  })

  it('takes a value from elsewhere', () => {
    const { rerender, view } = open('up')
    rerender(<Editor value="down" label="Expression" onChange={() => undefined} onRun={() => undefined} />)
    expect(view.state.doc.toString()).toBe('down')
  })

  it('runs by the handler of now', () => {
    const { rerender, press, onRun } = open('up')
    const later = vi.fn()
    rerender(<Editor value="up" label="Expression" onChange={() => undefined} onRun={later} />)
    press('Enter')
    expect(onRun).not.toHaveBeenCalled()
    expect(later).toHaveBeenCalledWith('up')
  })

  it('shows the fault that the server finds', async () => {
    const { view, asked } = open('sum(up{)', (url) =>
      url.pathname.endsWith('/parse_query')
        ? failure(400, 'invalid parameter "query": 1:8: parse error: unexpected ")"')
        : success([]),
    )
    forceLinting(view)
    await waitFor(() => expect(diagnostics(view)).toMatchObject([{ from: 7, to: 8, message: 'unexpected ")"' }]))
    expect(asked).toContain('/api/v1/parse_query')
  })

  it('shows the fault that the grammar knows when there is no server', async () => {
    const { view } = open('sum(up{)', () => {
      throw new TypeError('no network')
    })
    forceLinting(view)
    await waitFor(() => expect(diagnostics(view)).toHaveLength(1))
  })

  it('shows none where there is none, and asks nothing about nothing', async () => {
    const good = open('sum(up)')
    forceLinting(good.view)
    await waitFor(() => expect(good.asked).toContain('/api/v1/parse_query'))
    expect(diagnostics(good.view)).toEqual([])
    good.unmount()
    const empty = open('  ')
    forceLinting(empty.view)
    expect(empty.asked).toEqual([])
  })

  const completions = async (text: string) => {
    const { view } = open(text, (url) => {
      if (url.pathname.endsWith('/label/__name__/values'))
        return success(['node_load1', 'up', '<img src=x onerror=alert(1)>'])
      if (url.pathname.endsWith('/labels')) return success(['job', 'instance'])
      if (url.pathname.endsWith('/label/job/values')) return success(['node', 'a"b'])
      if (url.pathname.endsWith('/series')) return success([{ __name__: 'up', job: 'node', instance: 'x' }])
      return success({})
    })
    view.dispatch({ selection: { anchor: text.length } })
    view.focus()
    startCompletion(view)
    await waitFor(() => expect(currentCompletions(view.state).length).toBeGreaterThan(0), { timeout: 10_000 })
    return currentCompletions(view.state).map(({ label }) => label)
  }
  it.each([
    ['node_l', 'node_load1'],
    ['histogram_q', 'histogram_quantile'],
    ['up{jo', 'job'],
    ['up{job="n', 'node'],
    ['sum b', 'by'],
    ['rate(up[5', 'm'],
  ])('completes %s to %s', async (text, label) => expect(await completions(text)).toContain(label))
})

describe('the place of a fault', () => {
  it.each<[string, string, number, number, string]>([
    ['up +', '1:5: parse error: unexpected end of input', 3, 4, 'unexpected end of input'],
    ['up +   ', '1:8: parse error: unexpected end of input', 3, 4, 'unexpected end of input'],
    [
      'sum(foo bar)',
      'invalid parameter "query": 1:9: parse error: unexpected identifier "bar"',
      8,
      11,
      'unexpected identifier "bar"',
    ],
    ['a\n+ + )', '2:5: parse error: unexpected ")"', 6, 7, 'unexpected ")"'],
    ['a{b="ü"} )', '1:11: parse error: x', 9, 10, 'x'],
    ['a{b="🎉"} )', '1:13: parse error: x', 10, 11, 'x'],
    ['up', '99:99: parse error: far away', 1, 2, 'far away'],
    ['up', '0:0: parse error: before all', 0, 2, 'before all'],
    ['up', 'no place at all', 0, 2, 'no place at all'],
    ['up', '1:1: of several\nlines', 0, 2, 'of several\nlines'],
  ])('%j: %s', (text, message, from, to, rest) =>
    expect(serverFault(text, message)).toMatchObject({ from, to, message: rest }),
  )
})
