"""PromQL cases with the answers of Prometheus 3.14, through a real Prometheus, sidecar and querier."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from harness import ROOT, Prometheus, find_prometheus, query, sidecar

SHARED = ROOT.parent / "shared"


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
@unittest.skipUnless((SHARED / "golden" / "promql").exists(), "the PromQL cases are not here")
class PromqlCasesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.mkdtemp(prefix="aevum-e2e-")
        data = pathlib.Path(cls.scratch) / "data"
        shutil.copytree(SHARED / "golden" / "promql" / "blocks", data)
        for path in (data, *data.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        cls.processes = [Prometheus("prometheus", cls.scratch, {"replica": "0"}, data=data)]
        cls.processes[0].ready()
        cls.processes.append(sidecar("sidecar", cls.scratch, cls.processes[0]).ready())
        cls.processes.append(query("query", cls.scratch, [cls.processes[1].address]).ready())

    @classmethod
    def tearDownClass(cls):
        for process in reversed(cls.processes):
            process.stop()
        shutil.rmtree(cls.scratch, ignore_errors=True)

    def replay(self, name):
        result = subprocess.run([sys.executable, str(SHARED / "tools" / "promql-cases"),
                                 str(SHARED / "golden" / "promql" / f"{name}.jsonl.gz"),
                                 "--url", self.processes[2].url, "--drop-label", "replica"],
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
