import { describe, expect, it } from 'vitest'
import { asLabels } from '../answers/values'
import {
  formatAgo,
  formatBytes,
  formatDuration,
  formatInstant,
  formatResolution,
  formatSeconds,
  plural,
} from './format'
import { escapeForPath, graphLink, quote, selector } from './promql'

describe('formats', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [150 * 1024 ** 2, '150 MiB'],
    [1e30, /EiB$/],
    [-5, '0 B'],
  ])('%d bytes', (bytes, text) => {
    expect(formatBytes(bytes)).toMatch(text)
  })
  it.each([
    [0, '0s'],
    [250, '250ms'],
    [1500, '1s 500ms'],
    [60_000, '1m'],
    [7_200_000, '2h'],
    [93_600_000, '1d 2h'],
    [1_209_600_000, '14d'],
    [86_400_000 + 1000, '1d'],
  ])('%d ms', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
  it('instants in UTC', () => {
    expect(formatInstant(1780358414162)).toBe('2026-06-02 00:00:14.162')
    expect(formatInstant(0)).toBe('1970-01-01 00:00:00')
  })
  it.each([
    [0, 'now'],
    [5_300, '5s ago'],
    [-5_300, 'in 5s'],
    [125_000, '2m 5s ago'],
  ])('%d ms ago', (away, text) => {
    expect(formatAgo(1e12 - away, 1e12)).toBe(text)
  })
  it('the rest', () => {
    expect(formatResolution(0)).toBe('raw')
    expect(formatResolution(300_000)).toBe('5m')
    expect(formatSeconds(0.0001)).toBe('<1ms')
    expect(formatSeconds(1.25)).toBe('1s 250ms')
    expect(plural(1, 'block')).toBe('1 block')
    expect(plural(20_000, 'block')).toBe('20,000 blocks')
  })
})

describe('PromQL', () => {
  it.each([
    ['up', {}, 'up'],
    ['up', { job: 'a"b\\c\nd' }, 'up{job="a\\"b\\\\c\\nd"}'],
    ['http.server/req', {}, '{"http.server/req"}'],
    ['http.server/req', { 'k8s.pod': 'x' }, '{"http.server/req", "k8s.pod"="x"}'],
    ['', { job: 'x' }, '{job="x"}'],
    ['job:up:sum', {}, 'job:up:sum'],
    ['"} or vector(1) #', {}, '{"\\"} or vector(1) #"}'],
    ['up', { 'a"=': '1' }, 'up{"a\\"="="1"}'],
    ['up', { j: '\u0001' }, 'up{j="\\x01"}'],
  ])('selects %s %j', (metric, labels, text) => {
    expect(selector(metric, asLabels(labels))).toBe(text)
  })
  it.each([
    ['job', 'job'],
    ['a.b', 'U__a_2e_b'],
    ['a_b/c', 'U__a__b_2f_c'],
    ['é', 'U___e9_'],
    ['U__x', 'U__U____x'],
    ['1a', 'U__1a'],
  ])('writes the label %s into a path as %s', (name, escaped) => {
    expect(escapeForPath(name)).toBe(escaped)
  })
  it('links to graphs', () => {
    expect(graphLink('sum(up) + 1')).toBe('/graph?g0.expr=sum%28up%29+%2B+1&g0.tab=graph')
    expect(quote('🎉')).toBe('"🎉"')
  })
})
