"""Metadata, exemplars and statistics of an HA pair: once, whichever of the two is asked."""
import http.server
import time
import unittest

from harness import ProcessTest, Prometheus, find_prometheus, query, request, sidecar, wait_until

EXEMPLAR_TIME = int(time.time()) - 30


class Target(http.server.BaseHTTPRequestHandler):
    """Metrics with exemplars, the same at each scrape."""
    TEXT = f"""# TYPE demo_requests counter
# HELP demo_requests Number of <requests>.
demo_requests_total{{code="200"}} 5 # {{trace_id="abc"}} 0.5 {EXEMPLAR_TIME}.250
demo_requests_total{{code="500"}} 1 # {{trace_id="def"}} 2 {EXEMPLAR_TIME + 1}
# TYPE demo_latency_seconds histogram
# UNIT demo_latency_seconds seconds
# HELP demo_latency_seconds Latency.
demo_latency_seconds_bucket{{le="1.0"}} 3 # {{trace_id="ghi"}} 0.75 {EXEMPLAR_TIME + 2}
demo_latency_seconds_bucket{{le="+Inf"}} 3
demo_latency_seconds_count 3
demo_latency_seconds_sum 1.5
# EOF
"""

    def do_GET(self):
        body = self.TEXT.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class MetadataTest(ProcessTest):
    @classmethod
    def start(cls):
        cls.target = cls.serve(Target)
        address = f"127.0.0.1:{cls.target.server_address[1]}"

        cls.prometheus = [cls.keep(Prometheus(f"prometheus-{n}", cls.scratch, {"cluster": "eu1", "replica": str(n)},
                                         [("demo", address)], flags=["--enable-feature=exemplar-storage"]))
                          for n in range(2)]
        cls.sidecars = [cls.keep(sidecar(f"sidecar-{n}", cls.scratch, server.ready()))
                        for n, server in enumerate(cls.prometheus)]
        # Strict endpoints are asked also while they say that they are not ready.
        endpoints = [f"--endpoint-strict={s.ready().address}" for s in cls.sidecars]
        cls.querier = cls.keep(query("query", cls.scratch, [], endpoints)).ready()
        cls.upper = cls.keep(query("query-upper", cls.scratch, [cls.querier.address])).ready()
        cls.strict = cls.keep(query("query-strict", cls.scratch, [], [
            *endpoints, "--no-metric-metadata.partial-response", "--no-exemplar.partial-response",
            "--no-status.partial-response"])).ready()
        for server in cls.prometheus:
            wait_until(lambda: len(cls.exemplars_of(server)) == 3, "exemplars were scraped")
        wait_until(lambda: cls.upper.api("metadata"), "the upper querier knows the lower one")

    SPAN = {"start": EXEMPLAR_TIME - 60, "end": EXEMPLAR_TIME + 60}

    @classmethod
    def exemplars_of(cls, server, text='{job="demo"}'):
        return request(f"{server.url}/api/v1/query_exemplars", {"query": text, **cls.SPAN}).json["data"]

    def queriers(self):
        return [("lower", self.querier), ("upper", self.upper), ("strict", self.strict)]

    def test_1_metadata_is_that_of_prometheus(self):
        theirs = request(f"{self.prometheus[0].url}/api/v1/metadata").json["data"]
        self.assertEqual({"demo_requests", "demo_latency_seconds"}, set(theirs))
        for name, querier in self.queriers():
            with self.subTest(name):
                self.assertEqual(querier.api("metadata"), theirs)
                self.assertEqual(querier.api("metadata", metric="demo_requests"),
                                 {"demo_requests": theirs["demo_requests"]})
                self.assertEqual(len(querier.api("metadata", limit=1)), 1)
                self.assertEqual(querier.api("metadata", limit=0), {})
                self.assertEqual(querier.reply("metadata", limit="x").status, 400)

    def test_2_exemplars_of_both_come_once(self):
        theirs = {e["labels"]["trace_id"]: (s["seriesLabels"], e) for s in self.exemplars_of(self.prometheus[0])
                  for e in s["exemplars"]}
        self.assertEqual(set(theirs), {"abc", "def", "ghi"})
        for name, querier in self.queriers():
            with self.subTest(name):
                ours = querier.api("query_exemplars", query='rate({job="demo",cluster="eu1"}[5m])', **self.SPAN)
                self.assertEqual(len(ours), 3)
                for series in ours:
                    self.assertEqual(len(series["exemplars"]), 1)
                    exemplar = series["exemplars"][0]
                    labels, expected = theirs[exemplar["labels"]["trace_id"]]
                    self.assertEqual(series["seriesLabels"], labels | {"cluster": "eu1"})
                    self.assertEqual(exemplar, expected)
                keys = [sorted(s["seriesLabels"].items()) for s in ours]
                self.assertEqual(keys, sorted(keys))
                form = querier.api("query_exemplars", form={"query": "demo_requests_total", **self.SPAN})
                self.assertEqual(len(form), 2)
                self.assertEqual(querier.api("query_exemplars", query='{cluster="us1",job="demo"}', **self.SPAN), [])
                self.assertEqual(querier.reply("query_exemplars", query="{", **self.SPAN).status, 500)

    def test_3_statistics_are_those_of_both_together(self):
        theirs = [request(f"{p.url}/api/v1/status/tsdb").json["data"] for p in self.prometheus]
        for name, querier in self.queriers():
            with self.subTest(name):
                ours = querier.api("status/tsdb", limit=3)
                for field in ("numSeries", "numLabelPairs"):
                    self.assertEqual(ours["headStats"][field], sum(t["headStats"][field] for t in theirs), field)
                self.assertEqual(ours["headStats"]["minTime"], min(t["headStats"]["minTime"] for t in theirs))
                self.assertEqual(len(ours["seriesCountByMetricName"]), 3)
                count = {s["name"]: s["value"] for s in ours["seriesCountByMetricName"]}
                self.assertEqual(count["demo_requests_total"], 4)
                one = querier.api("status/tsdb", match__='{replica="1"}')["headStats"]
                self.assertEqual(one["numSeries"], theirs[1]["headStats"]["numSeries"])
                none = querier.api("status/tsdb", match__='{replica="2"}')["headStats"]
                self.assertEqual(none["numSeries"], 0)

    def test_4_who_does_not_answer_is_a_warning_or_an_error(self):
        paths = {"metadata": {}, "query_exemplars": {"query": "demo_requests_total", **self.SPAN}, "status/tsdb": {}}
        self.prometheus[1].kill()
        for path, params in paths.items():
            with self.subTest(path):
                partial = self.querier.reply(path, **params)
                self.assertEqual(partial.status, 200)
                self.assertEqual(partial.headers["Cache-Control"], "no-store")
                self.assertIn(self.sidecars[1].address, partial.json["warnings"][0])
                self.assertTrue(partial.json["data"])
                failed = self.strict.reply(path, **params)
                self.assertEqual((failed.status, failed.json["errorType"]), (500, "internal"))
                self.assertIn(self.sidecars[1].address, failed.json["error"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
