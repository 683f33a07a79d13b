"""What tests of uploads share: a Prometheus with blocks of the past."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import find_prometheus

HOUR = 3600


def blocks_of(directory):
    """meta.json by block of a data directory."""
    return {path.parent.name: json.loads(path.read_text()) for path in pathlib.Path(directory).glob("*/meta.json")}


class UploadCase(unittest.TestCase):
    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="aevum-e2e-"))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.processes = []

    def tearDown(self):
        for process in reversed(self.processes):
            process.stop()

    def run_process(self, process):
        self.processes.append(process)
        return process

    def backfill(self, data, hours=6, series=3):
        """Hours of one counter, which end a day ago, in blocks of two hours. Returns their first second."""
        start = (int(time.time()) - 24 * HOUR) // (2 * HOUR) * (2 * HOUR) - hours * HOUR
        lines = ["# TYPE backfilled counter"]
        for i in range(0, hours * HOUR, 60):
            lines += [f'backfilled_total{{instance="{n}"}} {i * (n + 1)} {start + i}' for n in range(series)]
        source = self.scratch / "backfill.om"
        source.write_text("\n".join(lines + ["# EOF", ""]))
        subprocess.run([find_prometheus("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(source), str(data)],
                       check=True, capture_output=True)
        return start
