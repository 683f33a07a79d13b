import { describe, expect, it } from 'vitest'
import { asLabels } from '../answers/values'
import { isEmptyQuery, matches, parseQuery } from './search'

const labels = asLabels({ cluster: 'eu1', job: 'node exporter', path: 'C:\\x "y"', __proto__x: 'p' })

describe('search', () => {
  it.each([
    ['', true],
    ['   ', true],
    ['EU', true],
    ['eu1 disk', true],
    ['eu1 memory', false],
    ['cluster=eu1', true],
    ['cluster="eu1"', true],
    ['cluster=eu', false],
    ['cluster!=eu1', false],
    ['cluster!=us1', true],
    ['{cluster="eu1", job="node exporter"}', true],
    ['{cluster="eu1", job="node"}', false],
    ['path="C:\\\\x \\"y\\""', true],
    ['zone=""', true],
    ['zone=', true],
    ['zone!=""', false],
    ['toString=', true],
    ['constructor=x', false],
    ['cluster="eu', true], // no end: the words of it
    ['"', true],
    ['((((', false],
    ['.*', false],
    ['cluster="eu1"disk', true],
  ])('%s', (text, found) => {
    expect(matches(parseQuery(text), ['Disk full'], labels)).toBe(found)
  })

  it('knows when nothing is asked for', () => {
    expect(isEmptyQuery(parseQuery(' {,} '))).toBe(true)
    expect(isEmptyQuery(parseQuery('a'))).toBe(false)
    expect(isEmptyQuery(parseQuery('a='))).toBe(false)
  })

  it('ends with any text', () => {
    for (const text of ['=', '==', 'a==b', '!=', '"""', '\\', 'a="\\"', '\u0000', 'é="ü"', '🎉']) {
      expect(() => matches(parseQuery(text), [text], labels)).not.toThrow()
    }
    expect(parseQuery('x'.repeat(100_000)).words).toHaveLength(1)
  })
})
