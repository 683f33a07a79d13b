"""JavaScript clients of Prometheus's API (test/clients) against aevum query and the Prometheus behind it."""
import os
import pathlib
import shutil
import subprocess
import unittest

from demo_target import Demo
from harness import ROOT, find_prometheus

PACKAGE = ROOT / "test" / "clients"
# Where the packages are installed: the build folder.
FOLDER = pathlib.Path(os.environ.get("AEVUM_CLIENTS_FOLDER") or ROOT / "build" / "clients")


def install():
    """Installs what the lock file says, unless that is there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    stamp = FOLDER / "installed"
    lock = (PACKAGE / "package-lock.json").read_bytes()
    for name in ("package.json", "package-lock.json", "clients.test.js"):
        shutil.copy(PACKAGE / name, FOLDER / name)
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    stamp.unlink(missing_ok=True)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=FOLDER, check=True, timeout=900)
    stamp.write_bytes(lock)


@unittest.skipUnless(shutil.which("node") and shutil.which("npm"), "no node and npm: scripts/install-deps has them")
@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class ClientsTest(unittest.TestCase):
    def test_clients(self):
        install()
        demo = Demo()
        try:
            run = subprocess.run(["node", "--test", "clients.test.js"], cwd=FOLDER, timeout=300, capture_output=True,
                                 text=True, env={**os.environ, "AEVUM_URL": demo.querier.url,
                                                 "PROMETHEUS_URL": demo.prometheus.url,
                                                 "AEVUM_TEST_TIME": str(demo.end)})
        finally:
            demo.stop()
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertRegex(run.stdout, r"pass [1-9]")


if __name__ == "__main__":
    unittest.main(verbosity=2)
