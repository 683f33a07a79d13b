import { describe, expect, it } from 'vitest'
import { asInstantMs, asLabels, asNumber, asObjects, asText, asTexts, asTimeMs } from './values'

describe('values of answers', () => {
  it.each([
    ['text', 'a', 'a'],
    ['a number', 1.5, '1.5'],
    ['a boolean', true, 'true'],
    ['null', null, ''],
    ['an object', { a: 1 }, ''],
    ['nothing', undefined, ''],
  ])('reads %s as text', (_, value, text) => {
    expect(asText(value)).toBe(text)
  })

  it.each([
    [1, 1],
    ['2.5', 2.5],
    ['', 7],
    [' ', 7],
    ['x', 7],
    [NaN, 7],
    [Infinity, 7],
    ['+Inf', 7],
    [null, 7],
    [[], 7],
  ])('reads %j as the number %d', (value, number) => {
    expect(asNumber(value, 7)).toBe(number)
  })

  it.each([
    [0, 0],
    [1780358414162, 1780358414162],
    [-62135596800000, -62135596800000],
    [9223372036854775807, null],
    [-9223372036854775808, null],
    ['never', null],
    [null, null],
  ])('reads %j as the time %j', (value, ms) => {
    expect(asTimeMs(value)).toBe(ms)
  })

  it.each([
    ['2026-11-25T03:21:47.818780378Z', 1795576907818],
    ['0001-01-01T00:00:00Z', null],
    ['yesterday', null],
    ['', null],
    [5, null],
  ])('reads %j as the instant %j', (value, ms) => {
    expect(asInstantMs(value)).toBe(ms)
  })

  it('keeps labels that are named as members of objects', () => {
    const labels = asLabels(JSON.parse('{"b":"2","__proto__":"x","constructor":"y","a":1}'))
    expect(Object.keys(labels)).toEqual(['__proto__', 'a', 'b', 'constructor'])
    expect(labels['__proto__']).toBe('x')
    expect(labels['a']).toBe('1')
    expect('toString' in asLabels({})).toBe(false)
    expect(Object.keys(asLabels('labels'))).toEqual([])
  })

  it('leaves out what has the wrong form', () => {
    expect(asObjects([{ a: 1 }, null, 'x', [1], { b: 2 }])).toEqual([{ a: 1 }, { b: 2 }])
    expect(asObjects({ a: 1 })).toEqual([])
    expect(asTexts(['a', 1, null, 'b'])).toEqual(['a', 'b'])
    expect(asTexts(null)).toEqual([])
  })
})
