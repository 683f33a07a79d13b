// Two JavaScript clients of Prometheus's API, given aevum query (AEVUM_URL) and the Prometheus behind it
// (PROMETHEUS_URL): what they make of the answers is the same, but for the external label `cluster`.
// AEVUM_TEST_TIME is a time in seconds of which both have samples.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

// The builds for browsers that `import` would find do not load under Node.
const require = createRequire(import.meta.url);
const { CompletionContext } = require('@codemirror/autocomplete');
const { ensureSyntaxTree } = require('@codemirror/language');
const { EditorState } = require('@codemirror/state');
const { HTTPPrometheusClient, CachedPrometheusClient } = require('@prometheus-io/codemirror-promql/dist/cjs/client/prometheus.js');
const { PromQLExtension, newCompleteStrategy } = require('@prometheus-io/codemirror-promql');
const { PrometheusDriver } = require('prometheus-query');

const urls = { aevum: process.env.AEVUM_URL, prometheus: process.env.PROMETHEUS_URL };
const now = new Date(Number(process.env.AEVUM_TEST_TIME) * 1000);
const before = new Date(now.getTime() - 4000);

// Asks both and compares; `also` is for what only the querier's answer has. Gives that answer.
async function same(ask, drop = (answer) => answer) {
  const [ours, theirs] = [await ask(urls.aevum), await ask(urls.prometheus)];
  assert.deepEqual(drop(plain(ours)), plain(theirs));
  return ours;
}

const plain = (value) => JSON.parse(JSON.stringify(value));

function withoutCluster(value) {
  if (Array.isArray(value)) return value.filter((v) => v !== 'cluster' && v !== 'replica').map(withoutCluster);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([k]) => k !== 'cluster').map(([k, v]) => [k, withoutCluster(v)]));
}

function editorClient(url, httpMethod = 'POST') {
  return new HTTPPrometheusClient({
    url, httpMethod, lookbackInterval: 3600_000,
    httpErrorHandler: (error) => { throw error; },
  });
}

for (const method of ['POST', 'GET']) {
  test(`codemirror-promql reads what it completes from, by ${method}`, async () => {
    await same((url) => editorClient(url, method).labelNames(), withoutCluster);
    await same((url) => editorClient(url, method).labelNames('demo_requests_total'), withoutCluster);
    await same((url) => editorClient(url, method).series('demo_requests_total'), withoutCluster);
    assert.ok((await same((url) => editorClient(url, method).metricNames())).includes('demo_requests_total'));
    assert.deepEqual(await same((url) => editorClient(url, method).labelValues('code')), ['200', '500']);
    await same((url) => editorClient(url, method).labelValues('code', 'demo_requests_total',
      [{ name: 'job', type: '=', value: 'demo', matchesEmpty: () => false }]).then((v) => v));
  });
}

test('codemirror-promql reads metadata and flags', async () => {
  const metadata = await same((url) => editorClient(url).metricMetadata());
  assert.equal(metadata.demo_requests[0].type, 'counter');
  const flags = await editorClient(urls.aevum).flags();
  for (const value of Object.values(flags)) assert.equal(typeof value, 'string');
  assert.equal(flags['query.replica-label'], 'replica');
});

test('codemirror-promql shows errors of the API', async () => {
  for (const url of Object.values(urls)) await assert.rejects(editorClient(url).series('a-b{'), /parse error/);
});

// What an editor offers at a position of a text.
async function completionsOf(url, text, position = text.length) {
  const client = new CachedPrometheusClient(editorClient(url), { maxAge: 1000 });
  const extension = new PromQLExtension().setComplete({ completeStrategy: newCompleteStrategy({ remote: client }) });
  try {
    let state = EditorState.create({ doc: text, extensions: extension.asExtension() });
    // An editor gives its parser little time at first; on a busy machine that is not enough.
    ensureSyntaxTree(state, text.length, 30_000);
    state = state.update({}).state;
    const result = await extension.getComplete().promQL(new CompletionContext(state, position, true));
    return result.options.map(({ label, detail, info, type }) => ({ label, detail, info, type }));
  } finally {
    client.destroy();
  }
}

test('an editor completes metrics, labels and their values', async () => {
  const labels = (answer) => answer.map((option) => option.label);
  const metrics = await same((url) => completionsOf(url, 'demo'));
  assert.ok(labels(metrics).includes('demo_requests_total'));
  const names = await same((url) => completionsOf(url, 'demo_requests_total{}', 'demo_requests_total{'.length),
    (answer) => answer.filter((option) => option.label !== 'cluster' && option.label !== 'replica'));
  assert.ok(labels(names).includes('code') && labels(names).includes('cluster'));
  const values = await same((url) => completionsOf(url, 'demo_requests_total{code="'));
  assert.deepEqual(labels(values), ['200', '500']);
  await same((url) => completionsOf(url, 'sum by ('),
    (answer) => answer.filter((option) => option.label !== 'cluster' && option.label !== 'replica'));
});

for (const preferPost of [false, true]) {
  const driver = (url) => new PrometheusDriver({ endpoint: url, preferPost });

  test(`prometheus-query asks queries, ${preferPost ? 'POST' : 'GET'}`, async () => {
    const vector = await same((url) => driver(url).instantQuery('demo_requests_total', now), withoutCluster);
    assert.equal(vector.resultType, 'vector');
    assert.deepEqual(vector.result.map((s) => s.metric.labels.cluster), ['eu1', 'eu1']);
    const matrix = await same((url) => driver(url).rangeQuery('sum by (code) (rate(demo_requests_total[3s]))', before, now, 1));
    assert.equal(matrix.resultType, 'matrix');
    await same((url) => driver(url).instantQuery('scalar(count(up))', now));
    for (const url of Object.values(urls)) {
      await assert.rejects(driver(url).instantQuery('sum(', now), (error) => /parse error/.test(error.error));
    }
  });

  test(`prometheus-query asks for series and labels, ${preferPost ? 'POST' : 'GET'}`, async () => {
    await same((url) => driver(url).series('{__name__=~"demo.+"}', before, now), withoutCluster);
    await same((url) => driver(url).series(['up', 'demo_requests_total'], before, now), withoutCluster);
    await same((url) => driver(url).labelNames(), withoutCluster);
    await same((url) => driver(url).labelNames(['up'], before, now), withoutCluster);
    await same((url) => driver(url).labelValues('code', ['demo_requests_total'], before, now));
  });
}

test('prometheus-query asks for metadata, rules, alerts and targets', async () => {
  const driver = (url) => new PrometheusDriver({ endpoint: url });
  await same((url) => driver(url).metadata());
  await same((url) => driver(url).metadata('demo_requests', 1));
  const rules = await same(async (url) => (await driver(url).rules()).map((group) => [group.name, group.file,
    group.interval, group.rules.map((rule) => [rule.name, rule.query, rule.type, rule.health, rule.duration]).sort()]));
  assert.equal(rules[0][0], 'demo');
  const alerts = await same(async (url) => (await driver(url).alerts()).map((alert) => [alert.labels, alert.annotations,
    alert.state, alert.value]), withoutCluster);
  assert.deepEqual(alerts.map((alert) => alert[2]), ['firing']);
  await same(async (url) => (await driver(url).targets()).activeTargets.map((target) => [target.scrapePool,
    target.scrapeUrl, target.health]));
});

test('prometheus-query reads the status', async () => {
  const driver = new PrometheusDriver({ endpoint: urls.aevum });
  assert.equal((await driver.statusFlags())['query.replica-label'], 'replica');
  assert.equal(typeof (await driver.statusBuildinfo()).version, 'string');
  assert.equal(typeof (await driver.statusRuntimeInfo()).startTime, 'string');
  assert.ok((await driver.statusTSDB()).headStats.numSeries > 0);
});
