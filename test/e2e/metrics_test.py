"""The metrics of a querier and a sidecar under the names, types and labels that dashboards and rules of Thanos rely on."""
import csv
import pathlib
import re
import unittest

from harness import (ProcessTest, Prometheus, directory_bucket, find_prometheus, free_port, query, request, sidecar,
                     wait_until)

LIST = pathlib.Path(__file__).parent / "testdata" / "metrics.tsv"
SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? \S+$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"')
# What the form of a type adds to the labels and names of its samples.
PARTS = {"histogram": ({"le"}, ("_bucket", "_sum", "_count")), "summary": ({"quantile"}, ("_sum", "_count", ""))}


def scrape(url):
    """Types by name, and by name the sets of labels of its samples."""
    types, labels = {}, {}
    for line in request(url + "/metrics").body.decode().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            types[name] = kind
        elif line and not line.startswith("#"):
            sample, text = SAMPLE.match(line).groups()
            labels.setdefault(sample, set()).add(frozenset(LABEL.findall(text or "")))
    return types, labels


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class MetricsTest(ProcessTest):
    @classmethod
    def start(cls):
        directory = cls.scratch
        port = free_port()
        server = cls.keep(Prometheus("prometheus", directory, {"replica": "0"}, [("self", f"127.0.0.1:{port}")], port)).ready()
        bucket = directory_bucket(pathlib.Path(directory) / "bucket")
        cls.sidecar = cls.keep(sidecar("sidecar", directory, server,
                                      [f"--tsdb.path={server.data}", f"--objstore.config={bucket}"])).ready()
        # Names, so that DNS is asked; a querier above, so that this one is asked by gRPC.
        cls.query = cls.keep(query("query", directory, [f"dns+localhost:{cls.sidecar.grpc}"],
                                  [f"--endpoint-group=dns+localhost:{cls.sidecar.grpc}"])).ready()
        upper = cls.keep(query("upper", directory, [cls.query.address])).ready()
        wait_until(lambda: cls.query.api("query", query="up")["result"], "the querier has samples")
        cls.query.api("query_range", query="up", start=0, end=10, step=1)
        upper.api("query", query="up")

    def check(self, component, url):
        types, labels = scrape(url)
        with open(LIST, encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file, delimiter="\t") if row["component"] == component]
        self.assertGreater(len(rows), 40)
        for row in rows:
            name, kind = row["name"], row["type"]
            with self.subTest(name):
                if row["absent"]:
                    self.assertNotIn(name, types, "it is exported: take the reason out of the list")
                    continue
                self.assertEqual(types.get(name), kind)
                added, suffixes = PARTS.get(kind, (set(), ("",)))
                for suffix in suffixes:
                    sets = labels.get(name + suffix, set())
                    self.assertTrue(sets, f"{name}{suffix} has no sample")
                    for one in sets:
                        self.assertEqual(one - added, frozenset(filter(None, row["labels"].split(","))), name + suffix)

    def test_querier(self):
        self.check("query", self.query.url)

    def test_sidecar(self):
        self.check("sidecar", self.sidecar.url)

    def test_what_they_say(self):
        value = self.query.metric
        self.assertEqual(value("thanos_query_concurrent_selects_gate_selects_max"), 4)
        self.assertEqual(value("thanos_query_concurrent_selects_gate_selects_in_flight"), 0)
        self.assertGreater(value("thanos_query_concurrent_selects_gate_selects_total"), 0)
        self.assertEqual(value('prometheus_engine_queries{engine="thanos",mode="local"}'), 0)
        before = value('thanos_engine_queries_total{engine="thanos",mode="local"}')
        self.query.api("query", query="up", engine="thanos")
        self.assertEqual(value('thanos_engine_queries_total{engine="thanos",mode="local"}'), before + 1)
        self.assertGreater(value('prometheus_engine_query_samples_total{engine="thanos",mode="local"}'), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
