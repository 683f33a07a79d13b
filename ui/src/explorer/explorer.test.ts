import { describe, expect, it } from 'vitest'
import type { Metric } from '../answers/metrics'
import { filterMetrics } from './filter'
import { parseUse } from './labels'

const metric = (name: string, type = '', help = ''): Metric => ({ name, type, help, unit: '', others: [] })

describe('filterMetrics', () => {
  const all = [
    metric('up', '', 'Whether it is <up>'),
    metric('requests_total', 'counter', 'Requests'),
    metric('t', 'gauge'),
  ]
  it.each([
    ['', [], ['up', 'requests_total', 't']],
    ['UP', [], ['up']],
    ['whether <up>', [], ['up']],
    ['', ['counter', 'unknown'], ['up', 'requests_total']],
    ['requests', ['gauge'], []],
  ])('%j of %j', (search, types, names) => {
    expect(filterMetrics(all, search, types).map(({ name }) => name)).toEqual(names)
  })
})

describe('parseUse', () => {
  it('counts the values of labels, the most first', () => {
    const series = [
      { __name__: 'm', job: 'a', node: '1' },
      { __name__: 'm', job: 'a', node: '2' },
      { __name__: 'm', job: 'a', zone: '<x>' },
    ]
    expect(parseUse(series)).toEqual({
      series: 3,
      labels: [
        { name: 'node', values: 2, examples: ['1', '2'] },
        { name: 'job', values: 1, examples: ['a'] },
        { name: 'zone', values: 1, examples: ['<x>'] },
      ],
    })
  })

  it.each([[null], ['x'], [{}], [[1, null, 'x']]])('makes no label of %j', (data) => {
    expect(parseUse(data).labels).toEqual([])
  })
})
