"""Three Prometheus servers, one answer, also while one of a pair dies."""
import json
import time
import unittest

from harness import Scenario, find_prometheus, request, wait_until


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class HaPairTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scenario = Scenario()
        try:
            cls.scenario.start()
        except BaseException:
            for process in cls.scenario.processes():
                print(process.name, process.tail(), sep="\n")
            cls.scenario.stop()
            raise
        cls.querier = cls.scenario.querier

    @classmethod
    def tearDownClass(cls):
        statuses = cls.scenario.stop()
        for name, status in statuses.items():
            killed = name == "sidecar-us1-1"
            if name.startswith(("sidecar", "query")) and status != 0 and not killed:
                raise AssertionError(f"{name} ended with status {status}")

    def test_1_one_series_a_target_although_the_pair_stored_each_twice(self):
        merged = self.querier.api("query", query="up")["result"]
        keys = [(s["metric"]["cluster"], s["metric"]["instance"]) for s in merged]
        self.assertEqual(len(keys), 6)
        self.assertEqual(len(set(keys)), 6)
        self.assertTrue(all("replica" not in s["metric"] for s in merged))
        apart = wait_until(lambda: (lambda r: r if len(r) == 9 else None)(
            self.querier.api("query", query="up", dedup="false")["result"]), "nine series with both replicas")
        self.assertEqual({s["metric"]["replica"] for s in apart if s["metric"]["cluster"] == "us1"}, {"0", "1"})

    def test_2_answers_what_prometheus_answers(self):
        server = self.scenario.prometheus["eu1-0"]
        now = time.time() - 2
        for expression in ("sum by (job) (up)", "count(scrape_samples_scraped)", "max(prometheus_tsdb_head_series) > 1",
                           "sum(rate(prometheus_tsdb_head_samples_appended_total[10s])) > 0",
                           "histogram_quantile(0.9, sum by (le) (prometheus_http_request_duration_seconds_bucket))"):
            with self.subTest(expression):
                form = {"query": expression, "time": now}
                theirs = request(server.url + "/api/v1/query", form).json["data"]
                ours = self.querier.api("query", form={**form, "query": expression.replace("(up", '(up{cluster="eu1"}')})
                if "up" in expression:
                    self.assertEqual(json.dumps(ours), json.dumps(theirs | {"analysis": ours.get("analysis")}))
                self.assertEqual(ours["resultType"], theirs["resultType"])

    def test_3_labels_values_series_and_stores(self):
        self.assertIn("cluster", self.querier.api("labels"))
        self.assertEqual(self.querier.api("label/cluster/values"), ["eu1", "us1"])
        self.assertEqual(self.querier.api("label/replica/values", match__='up{cluster="us1"}'), ["0", "1"])
        series = self.querier.api("series", match__="up")
        self.assertEqual(len(series), 6)
        stores = self.querier.api("stores")["sidecar"]
        self.assertEqual(len(stores), 3)
        self.assertTrue(all(s["lastError"] is None for s in stores))
        self.assertIn({"cluster": "us1", "replica": "1"}, [s["labelSets"][0] for s in stores])

    def test_4_a_querier_is_a_store_of_another_querier(self):
        from harness import query
        upper = query("query-upper", self.scenario.scratch, [self.querier.address])
        try:
            upper.ready()
            below = self.querier.api("query", query="count by (cluster) (up)")["result"]
            above = wait_until(lambda: upper.api("query", query="count by (cluster) (up)")["result"], "an answer")
            self.assertEqual([s["value"][1] for s in above], [s["value"][1] for s in below])
        finally:
            self.assertEqual(upper.stop(), 0)

    def test_5_metrics_and_probes(self):
        for process in (self.querier, *self.scenario.sidecars.values()):
            self.assertEqual(request(process.url + "/-/healthy").body, b"OK")
            self.assertGreater(process.metric("process_resident_memory_bytes"), 1e6)
        self.assertEqual(self.scenario.sidecars["us1-0"].metric("thanos_sidecar_prometheus_up"), 1)

    def test_6_the_graph_goes_on_without_a_gap_when_one_of_the_pair_dies(self):
        survivors = {f"127.0.0.1:{self.scenario.prometheus[n].port}" for n in ("eu1-0", "us1-0")}

        def points(start, end):
            data = self.querier.api("query_range", query='up{cluster="us1"}', start=start, end=end, step=1)
            return {s["metric"]["instance"]: s["values"] for s in data["result"]}


        def up(rows, count):
            return all(len(rows.get(i, ())) == count and {v for _, v in rows[i]} == {"1"} for i in survivors)
        wait_until(lambda: up(points(time.time() - 6, time.time()), 7), "six seconds in which the targets are up")
        self.scenario.prometheus["us1-1"].kill()
        killed = time.time()
        self.scenario.sidecars["us1-1"].kill()
        wait_until(lambda: time.time() > killed + 12, "some scrapes after the kill")

        def whole():
            return up(points(killed - 5, killed + 10), 16)
        wait_until(whole, "both living targets have a point at each of 16 steps")

        # Counters never go backwards through the switch.
        data = self.querier.api("query_range", query='resets(prometheus_http_requests_total{cluster="us1"}[20s])',
                                start=killed + 10, end=killed + 10, step=1)
        values = {v for s in data["result"] if s["metric"]["instance"] in survivors for _, v in s["values"]}
        self.assertEqual(values, {"0"})
        warned = self.querier.reply("query", query="up")
        self.assertEqual(warned.status, 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
