"""PromQL cases with the answers of Prometheus 3.14, through a real Prometheus, sidecar and querier."""
import pathlib
import shutil
import subprocess
import sys
import unittest

from harness import ROOT, ProcessTest, Prometheus, find_prometheus, query, sidecar

SHARED = ROOT.parent / "shared"


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
@unittest.skipUnless((SHARED / "golden" / "promql").exists(), "the PromQL cases are not here")
class PromqlCasesTest(ProcessTest):
    @classmethod
    def start(cls):
        data = pathlib.Path(cls.scratch) / "data"
        shutil.copytree(SHARED / "golden" / "promql" / "blocks", data)
        for path in (data, *data.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        prometheus = cls.keep(Prometheus("prometheus", cls.scratch, {"replica": "0"}, data=data)).ready()
        side = cls.keep(sidecar("sidecar", cls.scratch, prometheus)).ready()
        cls.querier = cls.keep(query("query", cls.scratch, [side.address])).ready()

    def replay(self, name):
        result = subprocess.run([sys.executable, str(SHARED / "tools" / "promql-cases"),
                                 str(SHARED / "golden" / "promql" / f"{name}.jsonl.gz"),
                                 "--url", self.querier.url, "--drop-label", "replica"],
                                capture_output=True, text=True)
        print(f"{name}: {result.stdout.strip().splitlines()[-1]}")
        self.assertEqual(result.returncode, 0, result.stdout[-4000:])

    def test_compliance(self):
        self.replay("compliance")

    def test_edges(self):
        self.replay("edges")

    def test_random(self):
        self.replay("random")


if __name__ == "__main__":
    unittest.main(verbosity=2)
