"""PromQL cases with the answers of Prometheus 3.14: through a real Prometheus, sidecar and querier, and from a
bucket through the store gateway and the querier."""
import json
import pathlib
import shutil
import subprocess
import sys
import unittest

from harness import ROOT, ProcessTest, Prometheus, directory_bucket, find_prometheus, query, sidecar, store

SHARED = ROOT.parent / "shared"
GOLDEN = SHARED / "golden"


def copy(source, target):
    """A copy that can be changed."""
    shutil.copytree(source, target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


class CasesTest(ProcessTest):
    def replay(self, name, *arguments, querier=None):
        querier = querier or self.querier
        result = subprocess.run([sys.executable, str(SHARED / "tools" / "promql-cases"),
                                 str(GOLDEN / "promql" / f"{name}.jsonl.gz"),
                                 "--url", querier.url, *arguments], capture_output=True, text=True)
        print(f"{name}: {result.stdout.strip().splitlines()[-1]}")
        self.assertEqual(result.returncode, 0, result.stdout[-4000:])


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
@unittest.skipUnless((GOLDEN / "promql").exists(), "the PromQL cases are not here")
class SidecarCasesTest(CasesTest):
    @classmethod
    def start(cls):
        data = cls.scratch / "data"
        copy(GOLDEN / "promql" / "blocks", data)
        server = cls.keep(Prometheus("prometheus", cls.scratch, {"replica": "0"}, data=data)).ready()
        beside = cls.keep(sidecar("sidecar", cls.scratch, server)).ready()
        cls.querier = cls.keep(query("query", cls.scratch, [beside.address])).ready()

    def test_compliance(self):
        self.replay("compliance", "--drop-label", "replica")

    def test_edges(self):
        self.replay("edges", "--drop-label", "replica")

    def test_random(self):
        self.replay("random", "--drop-label", "replica")


class StoreCasesTest(CasesTest):
    """Blocks in a bucket, without external labels, as the answers are."""

    @classmethod
    def start_over(cls, blocks):
        bucket = cls.scratch / "bucket"
        bucket.mkdir()
        for block in blocks:
            copy(block, bucket / block.name)
            path = bucket / block.name / "meta.json"
            meta = json.loads(path.read_text())
            meta["thanos"] = {"labels": {}, "downsample": {"resolution": 0}, "source": "test"}
            path.write_text(json.dumps(meta))
        cls.gateway = cls.keep(store("store", cls.scratch, directory_bucket(bucket))).ready()
        cls.querier = cls.keep(query("query", cls.scratch, [cls.gateway.address])).ready()

    def replay(self, name, *arguments, querier=None):
        # The querier's replica label is one that series of the cases have.
        super().replay(name, "--param", "dedup=false", *arguments, querier=querier)


@unittest.skipUnless((GOLDEN / "promql").exists(), "the PromQL cases are not here")
class StoreFloatCasesTest(StoreCasesTest):
    @classmethod
    def start(cls):
        cls.start_over(path.parent for path in (GOLDEN / "promql" / "blocks").glob("*/meta.json"))

    def test_compliance(self):
        self.replay("compliance")

    def test_edges(self):
        self.replay("edges")

    def test_random(self):
        self.replay("random")


@unittest.skipUnless((GOLDEN / "promql").exists(), "the PromQL cases are not here")
class StoreHistogramCasesTest(StoreCasesTest):
    """Native histograms, and what Prometheus has behind feature flags."""

    @classmethod
    def start(cls):
        blocks = []
        for path in (GOLDEN / "buckets" / "raw").glob("*/meta.json"):
            meta = json.loads(path.read_text())
            # Without the block of late samples, as the README of the cases says.
            if meta["thanos"]["labels"]["cluster"] == "us1" and "hints" not in meta["compaction"]:
                blocks.append(path.parent)
        cls.start_over(blocks)

    def test_histograms(self):
        self.replay("histograms")

    def test_experimental(self):
        experimental = self.keep(query("query-experimental", self.scratch, [self.gateway.address], [
            f"--enable-feature=promql-{feature}" for feature in (
                "experimental-functions", "duration-expr", "extended-range-selectors", "binop-fill-modifiers")])).ready()
        self.replay("experimental", querier=experimental)


if __name__ == "__main__":
    unittest.main(verbosity=2)
