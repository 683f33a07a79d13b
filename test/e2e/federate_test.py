"""A Prometheus that scrapes the querier's /federate; limits, refused queries and request logs of real processes."""
import http.client
import pathlib
import subprocess
import unittest

from harness import (Failed, Process, ProcessTest, Prometheus, find_prometheus, free_port, query, request, sidecar,
                     wait_until)

REQUEST_LOG = "options: {level: DEBUG, decision: {log_start: true, log_end: true}}"


def scraping_prometheus(directory, target, port, path):
    """A Prometheus that federates from `target` as its documentation says, with honor_labels."""
    config = pathlib.Path(directory) / "global.yml"
    config.write_text(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: federate
    honor_labels: true
    metrics_path: {path}
    params: {{'match[]': ['{{job="target"}}', up]}}
    static_configs: [{{targets: ["{target}"]}}]
""")
    return Process("prometheus-global", [find_prometheus(), f"--config.file={config}",
                                         f"--storage.tsdb.path={directory}/global",
                                         f"--web.listen-address=127.0.0.1:{port}"], directory)


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class FederateTest(ProcessTest):
    @classmethod
    def start(cls):
        ports = [free_port(), free_port()]
        targets = [("target", f"127.0.0.1:{port}") for port in ports]
        cls.pair = [cls.keep(Prometheus(f"prometheus-{i}", cls.scratch, {"cluster": "us1", "replica": str(i)},
                                        targets, port)) for i, port in enumerate(ports)]
        for server in cls.pair:
            server.ready()
        cls.sidecars = [cls.keep(sidecar(f"sidecar-{i}", cls.scratch, server,
                                         [f"--request.logging-config={REQUEST_LOG}"]))
                        for i, server in enumerate(cls.pair)]
        cls.refused = cls.scratch / "refused.yaml"
        cls.refused.write_text("- {pattern: '.*forbidden.*', reason: ask the platform team}\n")
        cls.querier = cls.keep(query("query", cls.scratch, [s.ready().address for s in cls.sidecars], [
            "--web.route-prefix=/view", f"--request.logging-config={REQUEST_LOG}",
            f"--query.refused-queries-file={cls.refused}"]))
        cls.querier.ready()
        cls.querier_url = cls.querier.url
        cls.querier.url += "/view"
        wait_until(lambda: len(cls.querier.api("query", query="up == 1")["result"]) == 2, "two targets are up")

    def test_1_a_prometheus_scrapes_the_global_view(self):
        port = free_port()
        server = self.keep(scraping_prometheus(self.scratch, f"127.0.0.1:{self.querier.http}", port, "/view/federate"))
        url = f"http://127.0.0.1:{port}"
        server.wait_ready(url + "/-/ready")

        def ask(expression):
            reply = request(url + "/api/v1/query", {"query": expression})
            if reply.status != 200:
                raise Failed(reply.body)
            return reply.json["data"]["result"]
        scraped = wait_until(lambda: (lambda r: r if len(r) == 2 else None)(ask('up{job="target",cluster="us1"} == 1')),
                             "the global Prometheus has both targets")
        self.assertEqual({s["metric"]["instance"] for s in scraped}, {f"127.0.0.1:{p.port}" for p in self.pair})
        self.assertTrue(all("replica" not in s["metric"] for s in scraped))
        self.assertEqual([s["value"][1] for s in ask('up{job="federate"}')], ["1"], "the scrape itself")
        # Values and times are those of the pair, not of the scrape.
        name = "prometheus_build_info"
        theirs = request(url + "/api/v1/query", {"query": f'timestamp({name}{{cluster="us1"}})'}).json["data"]["result"]
        self.assertEqual(len(theirs), 2)
        for series in theirs:
            at = float(series["value"][1])
            stored = {t for one in self.pair for s in request(one.url + "/api/v1/query", {
                "query": f'{name}{{instance="{series["metric"]["instance"]}"}}[2m]'}).json["data"]["result"]
                for t, _ in s["values"]}
            self.assertIn(at, stored)
        self.assertGreater(len(ask('prometheus_http_request_duration_seconds_bucket{cluster="us1"}')), 10)

    def test_2_the_text_is_what_promtool_reads(self):
        reply = request(self.querier.url + '/federate?match[]={job="target"}')
        self.assertEqual(reply.status, 200)
        self.assertTrue(reply.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        lines = reply.body.decode().splitlines()
        names = [line.split(" ")[2] for line in lines if line.startswith("# TYPE ")]
        self.assertEqual(names, sorted(set(names)))
        self.assertGreater(len(names), 100)
        check = subprocess.run([find_prometheus("promtool"), "check", "metrics"], input=reply.body,
                               capture_output=True, timeout=60)
        self.assertNotIn(b"error while linting", check.stderr)
        self.assertIn(check.returncode, (0, 3), check.stderr)  # 3: lint of names, 1: can't be read

    def test_3_refused_queries_follow_their_file(self):
        refused = self.querier.reply("query", query="forbidden")
        self.assertEqual((refused.status, refused.json["error"]),
                         (422, "the query is refused here: ask the platform team"))
        self.refused.write_text("- {matchers: up, reason: not any more}\n")
        wait_until(lambda: self.querier.reply("query", query="rate(up[1m])").status == 422, "the new list")
        self.assertEqual(self.querier.reply("query", query="forbidden").status, 200)
        self.refused.write_text("- {matchers: up, why: not any more}\n")

        def told():
            self.querier.reply("query", query="1")  # a query is when the file is looked at
            return b"unknown field in an entry: why" in self.querier.log.read_bytes()
        wait_until(told, "a log line about the bad list")
        self.assertEqual(self.querier.reply("query", query="up").status, 422)
        self.refused.write_text("")
        wait_until(lambda: self.querier.reply("query", query="up").status == 200, "the empty list")

    def test_4_requests_are_logged_as_they_are_told(self):
        self.querier.reply("query", query="up")
        text = self.querier.log.read_text()
        self.assertIn('msg="finished call" protocol=http', text)
        self.assertIn("thanos.method_name=query", text)
        self.assertIn("grpc.method=/thanos.Store/Series", self.sidecars[0].log.read_text())

    def test_5_limits_of_a_series_call(self):
        for flag, text in (("--store.limits.request-series=1", "failed to send series: limit 1 violated (got 2)"),
                           ("--store.limits.request-samples=1", "failed to send samples: limit 1 violated (got 120)")):
            with self.subTest(flag):
                limited = sidecar("sidecar-limited", self.scratch, self.pair[0], [flag])
                middle = query("query-limited", self.scratch, [self.sidecars[0].address], [flag])
                try:
                    for store in (limited, middle):
                        upper = query("query-upper", self.scratch, [store.ready().address])
                        try:
                            upper.ready()
                            reply = wait_until(lambda u=upper: (lambda r: r if "warnings" in r.json else None)(
                                u.reply("query", query="up")), "a warning")
                            self.assertIn(text, reply.json["warnings"][0])
                            self.assertEqual(upper.reply("query", query="up", partial_response="false").status, 422)
                        finally:
                            upper.stop()
                        reason = "series" if "series" in flag else "chunks"
                        self.assertGreater(store.metric(f'thanos_store_selects_dropped_total{{reason="{reason}"}}'), 0)
                finally:
                    limited.stop()
                    middle.stop()

    def test_6_prefixes(self):
        self.assertEqual(request(self.querier_url + "/api/v1/labels").status, 404)
        connection = http.client.HTTPConnection("127.0.0.1", self.querier.http)
        connection.request("GET", "/")
        root = connection.getresponse()
        self.assertEqual((root.status, root.headers["Location"]), (302, "/view/graph"))
        connection.close()
        self.assertEqual(request(self.querier_url + "/-/ready").status, 200)
        self.assertEqual(request(self.querier_url + "/metrics").status, 200)
        self.assertEqual(self.querier.reply("labels").headers["Access-Control-Allow-Origin"], "*")


if __name__ == "__main__":
    unittest.main(verbosity=2)
