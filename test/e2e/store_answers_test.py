"""Store gateways over buckets that real programs wrote, asked what Thanos was asked of them."""
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import ROOT, directory_bucket, store

BUCKETS = ROOT.parent / "shared" / "golden" / "buckets"
COMPARISON = os.environ.get("AEVUM_GOLDEN_ANSWERS_TEST")


@unittest.skipUnless(BUCKETS.is_dir(), f"no golden buckets at {BUCKETS}")
class StoreAnswersTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="aevum-e2e-")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def test_answers_are_those_of_thanos(self):
        stores = {}
        for bucket in ("raw", "xor2", "compacted", "deduped-penalty", "deduped-one-to-one", "downsampled"):
            stores[bucket] = store(f"store-{bucket}", self.scratch, directory_bucket(BUCKETS / bucket))
        try:
            for process in stores.values():
                process.ready()
            addresses = ",".join(f"{bucket}={process.address}" for bucket, process in stores.items())
            compared = subprocess.run([COMPARISON], env={**os.environ, "AEVUM_GOLDEN_STORES": addresses},
                                      capture_output=True, text=True, timeout=240)
            self.assertEqual(compared.returncode, 0, compared.stdout[-6000:])
            self.assertIn("[  PASSED  ] 1 test", compared.stdout)
        finally:
            statuses = {name: process.stop() for name, process in stores.items()}
        self.assertEqual(set(statuses.values()), {0}, statuses)


if __name__ == "__main__":
    unittest.main(verbosity=2)
