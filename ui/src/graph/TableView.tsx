import { Button, Text } from '@mantine/core'
import { useState } from 'react'
import { Empty } from '../parts/Page'
import { formatCount, formatInstant } from '../parts/format'
import { writeBucket, writeNumber, type Histogram, type RawSample, type Result, type Series } from './result'

// More rows than these at once make a browser slow.
const PAGE = 500
// Of a series of a range selector.
const MOST_SAMPLES = 100

export function TableView({ result }: { result: Result }) {
  const [count, setCount] = useState(PAGE)
  if ('sample' in result) return <Plain kind={result.kind} sample={result.sample} />
  const { series } = result
  if (series.length === 0) return <NoSeries />
  return (
    <>
      <div className="av-table" tabIndex={0} role="region" aria-label="Result">
        <table className="av-result">
          <thead>
            <tr>
              <th scope="col">Series</th>
              <th scope="col">Value</th>
            </tr>
          </thead>
          <tbody>
            {series.slice(0, count).map((one, at) => (
              <tr key={at}>
                <td className="av-series">{one.name}</td>
                <td className="av-value">
                  <Values series={one} timed={result.kind === 'matrix'} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {series.length > count && (
        <Button variant="default" onClick={() => setCount(count + PAGE)}>
          Show more ({formatCount(series.length - count)} are left)
        </Button>
      )}
    </>
  )
}

// What to do when a query finds nothing.
export function NoSeries() {
  return (
    <Empty title="The answer is empty.">
      No series matches at this time. Check the name and the labels (the editor completes both), look further back, or
      see on the stores page which times the stores have.
    </Empty>
  )
}

function Plain({ kind, sample: [time, text] }: { kind: string; sample: RawSample }) {
  return (
    <table className="av-result">
      <tbody>
        <tr>
          <th scope="row">{kind}</th>
          <td className="av-value">{text}</td>
          <td className="av-quiet">{timeOf(time)}</td>
        </tr>
      </tbody>
    </table>
  )
}

function Values({ series, timed }: { series: Series; timed: boolean }) {
  const left = series.samples.length + series.histograms.length - 2 * MOST_SAMPLES
  return (
    <>
      {series.samples.slice(0, MOST_SAMPLES).map(([time, text], at) => (
        <div key={at}>{timed ? `${text} @ ${timeOf(time)}` : text}</div>
      ))}
      {series.histograms.slice(0, MOST_SAMPLES).map(([time, histogram], at) => (
        <HistogramText key={at} histogram={histogram} at={timed ? ` @ ${timeOf(time)}` : ''} />
      ))}
      {left > 0 && <div className="av-quiet">and more</div>}
    </>
  )
}

function HistogramText({ histogram, at }: { histogram: Histogram; at: string }) {
  const most = histogram.buckets.reduce((sum, { count }) => Math.max(sum, count), 0)
  return (
    <details>
      <summary>{`count ${writeNumber(histogram.count)}, sum ${writeNumber(histogram.sum)}${at}`}</summary>
      <table className="av-buckets">
        <tbody>
          {histogram.buckets.map((bucket, row) => (
            <tr key={row}>
              <td>{writeBucket(bucket)}</td>
              <td>{writeNumber(bucket.count)}</td>
              <td>
                <meter min={0} max={most || 1} value={bucket.count} aria-label={writeBucket(bucket)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {histogram.buckets.length === 0 && <Text size="sm">no buckets</Text>}
    </details>
  )
}

function timeOf(seconds: number): string {
  // Times out of the range of dates would throw.
  return Math.abs(seconds) <= 8.64e12 ? `${formatInstant(seconds * 1000)} UTC` : String(seconds)
}
