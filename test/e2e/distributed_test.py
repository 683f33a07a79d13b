"""One root over two queriers, each over a real Prometheus: distributed answers are the local ones, byte by byte."""
import json
import re
import time
import unittest

from harness import ProcessTest, Prometheus, find_prometheus, free_port, query, sidecar, wait_until

# {c} is a counter, {g} a gauge, {h} the buckets of a classic histogram, {m} a gauge with many values.
NAMES = {"c": "prometheus_http_requests_total", "g": "scrape_duration_seconds",
         "h": "prometheus_http_request_duration_seconds_bucket", "m": "go_memstats_alloc_bytes"}
EXPRESSIONS = """
up
{g}
rate({c}[30s])
irate({c}[30s])
increase({c}[30s])
sum(rate({c}[30s]))
sum by (job) (rate({c}[30s]))
sum by (cluster) (rate({c}[30s]))
sum by (cluster, code) (rate({c}[30s]))
sum without (handler) (rate({c}[30s]))
sum without (cluster) (rate({c}[30s]))
avg(rate({c}[30s]))
avg by (handler) ({c})
avg by (cluster) ({m})
stddev by (handler) (rate({c}[30s]))
stdvar by (cluster) ({g})
count({c})
count by (handler) ({c} > 3)
count by (cluster) ({c})
min({g})
max by (instance) ({m})
min by (handler) (ceil({c} / 10) - 1)
group by (handler) ({c})
quantile(0.7, rate({c}[30s]))
quantile by (cluster) (0.7, {g})
topk(3, {c})
topk(3, rate({c}[30s]))
topk by (cluster) (2, {c})
topk by (handler) (1, {c})
bottomk(3, {c})
bottomk by (job) (2, rate({c}[30s]))
topk(2, sum by (handler) (rate({c}[30s])))
count_values("value", {c})
count_values by (cluster) ("value", {c})
histogram_quantile(0.9, sum by (le) (rate({h}[30s])))
histogram_quantile(0.9, sum by (le, cluster) (rate({h}[30s])))
histogram_quantile(0.9, sum by (le, handler) (rate({h}[30s])))
sum(rate({c}[30s])) / sum(rate({h}[30s]))
sum by (cluster) (rate({c}[30s])) / sum by (cluster) (rate({h}[30s]))
{c} / on (cluster, instance, handler, code) {c}
{c} * on (cluster, instance) group_left () {g}
{c} * on (instance) group_left () {g}
{c} and on (cluster, instance) up
{c} unless on (cluster) (up == 0)
rate({c}[30s]) or vector(1)
{g} > 0.001 and {g} < 10
absent({c})
absent(nothing)
absent(rate(nothing[30s]))
absent_over_time({c}[30s])
scalar(sum({c}))
{g} - scalar(avg({g}))
sort(rate({c}[30s]))
sort_desc(sum by (handler) ({c}))
label_replace(rate({c}[30s]), "c", "$1", "cluster", "(.*)")
sum by (c) (label_replace(rate({c}[30s]), "c", "$1", "cluster", "(.).*"))
label_join({g}, "both", "-", "cluster", "job")
max_over_time(rate({c}[15s])[30s:5s])
sum(max_over_time(rate({c}[15s])[30s:5s]))
max_over_time(sum(rate({c}[15s]))[30s:5s])
avg_over_time(sum by (cluster) ({g})[30s:5s])
deriv({m}[30s])
predict_linear({m}[30s], 60)
quantile_over_time(0.5, {g}[30s])
changes({c}[30s])
timestamp(up)
time() - timestamp(up)
{g} offset 10s
sum(rate({c}[30s] offset 5s))
rate({c}[30s] @ end())
-{g}
sum(-{g})
round({m}, 1000)
clamp_max({c}, 5)
minute() + on () group_right () {g}
sum({c}{{cluster="one"}})
sum(rate({c}{{cluster=~"one|two"}}[30s]))
topk(2, rate({c}{{cluster="two"}}[30s]))
count({{__name__=~"go_.*"}})
sum by (cluster) ({{__name__=~"go_gc.*"}})
time()
"hello"
""".strip().splitlines()


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class DistributedTest(ProcessTest):
    @classmethod
    def start(cls):
        names = ("one", "two")
        ports = {name: free_port() for name in names}
        targets = [("prometheus", f"127.0.0.1:{port}") for port in ports.values()]
        servers = {n: cls.keep(Prometheus(f"prometheus-{n}", cls.scratch, {"cluster": n, "replica": "0"}, targets, ports[n]))
                   for n in names}
        cls.leaves = {}
        for name, server in servers.items():
            server.ready()
            side = cls.keep(sidecar(f"sidecar-{name}", cls.scratch, server)).ready()
            cls.leaves[name] = cls.keep(query(f"leaf-{name}", cls.scratch, [side.address])).ready()
        addresses = [leaf.address for leaf in cls.leaves.values()]
        flags = ["--endpoint.info-timeout=1s"]
        cls.local = cls.keep(query("root-local", cls.scratch, addresses, flags)).ready()
        cls.root = cls.keep(query("root", cls.scratch, addresses, [*flags, "--query.mode=distributed"])).ready()
        for root in (cls.local, cls.root):
            wait_until(lambda root=root: len(root.api("query", query="up == 1")["result"]) == 4, "four targets are up")
        # Enough samples for rates, and then no more: what is asked for lies in the past.
        wait_until(lambda: cls.local.api("query", query="min(count_over_time(up[1m])) >= 40")["result"],
                   "40 samples a series", timeout=120)
        cls.end = int(time.time()) - 3

    def assert_same(self, path, expression, **params):
        form = {"query": expression, **params}
        ours, theirs = (root.reply(path, form) for root in (self.root, self.local))
        self.assertEqual(ours.status, theirs.status, ours.body[:300])
        self.assertEqual(ours.json.get("warnings"), theirs.json.get("warnings"))
        self.assertEqual(ours.json.get("infos"), theirs.json.get("infos"))
        self.assertEqual(self.data_of(ours), self.data_of(theirs))
        return theirs

    @staticmethod
    def data_of(reply):
        """The bytes of `data`, or of the error."""
        match = re.search(rb'"data":(.*?)(,"warnings":|,"infos":|\}$)', reply.body, re.DOTALL)
        return match.group(1) if match else reply.body

    def test_1_instant_queries(self):
        found = 0
        for expression in EXPRESSIONS:
            text = expression.format(**NAMES)
            for at in (self.end, self.end - 7.345):
                with self.subTest(text, time=at):
                    reply = self.assert_same("query", text, time=at)
                    found += bool(reply.json["data"]["result"]) if reply.status == 200 else 0
        self.assertGreater(found, 2 * len(EXPRESSIONS) * 0.8)

    def test_2_range_queries(self):
        for expression in EXPRESSIONS:
            text = expression.format(**NAMES)
            for step, start in ((1, self.end - 30), (5, self.end - 31.5), (0.7, self.end - 20)):
                with self.subTest(text, step=step):
                    self.assert_same("query_range", text, start=start, end=self.end, step=step)

    def test_3_queriers_were_asked_in_promql(self):
        for leaf in self.leaves.values():
            calls = leaf.metric('grpc_server_handled_total{grpc_code="OK",grpc_method="QueryRange",'
                                'grpc_service="thanos.Query",grpc_type="server_stream"}')
            self.assertGreater(calls, 100)

    def test_4_a_leaf_that_dies_is_a_warning_or_an_error(self):
        expression = f"sum by (cluster) (rate({NAMES['c']}[30s]))"
        strict = query("root-strict", self.scratch, [],
                       ["--query.mode=distributed", *(f"--endpoint-strict={leaf.address}" for leaf in self.leaves.values())])
        self.processes.append(strict)
        strict.ready()
        wait_until(lambda: len(strict.api("query", query=expression, time=self.end)["result"]) == 2, "both clusters")
        self.leaves["two"].kill()
        for root in (strict, self.root):
            with self.subTest(root.name):
                reply = root.reply("query", {"query": expression, "time": self.end})
                self.assertEqual(reply.status, 200)
                self.assertEqual([s["metric"] for s in reply.json["data"]["result"]], [{"cluster": "one"}])
                if root is strict or "warnings" in reply.json:
                    self.assertIn(self.leaves["two"].address, json.dumps(reply.json["warnings"]))
                    self.assertEqual(reply.headers["Cache-Control"], "no-store")
        refused = strict.reply("query", {"query": expression, "time": self.end, "partial_response": "false"})
        self.assertEqual(refused.json["status"], "error")
        self.assertIn(self.leaves["two"].address, refused.json["error"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
