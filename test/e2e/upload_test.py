"""Blocks go from Prometheus through the sidecar into a bucket, and a store gateway answers for them."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import (Prometheus, backfill, directory_bucket, find_prometheus, query, request, sidecar, store, wait_until)

HOUR = 3600


def blocks_of(directory):
    """meta.json by block, of those that are whole."""
    return {path.parent.name: json.loads(path.read_text()) for path in pathlib.Path(directory).glob("*/meta.json")}


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class UploadTest(unittest.TestCase):
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

    def test_blocks_move_to_the_bucket_and_answers_stay_the_same(self):
        data, bucket = self.scratch / "prometheus-data", self.scratch / "bucket"
        bucket.mkdir()
        start = backfill(self.scratch, data)
        local = blocks_of(data)
        self.assertGreaterEqual(len(local), 3)

        server = self.run_process(Prometheus("prometheus", self.scratch, {"cluster": "a", "replica": "0"}, data=data))
        server.ready()
        beside = self.run_process(sidecar("sidecar", self.scratch, server, [
            f"--tsdb.path={data}", f"--objstore.config={directory_bucket(bucket)}", "--hash-func=SHA256"]))
        beside.ready()
        wait_until(lambda: set(blocks_of(bucket)) == set(local), "all blocks are in the bucket")

        for meta in blocks_of(bucket).values():
            self.assertEqual(meta["thanos"]["labels"], {"cluster": "a", "replica": "0"})
            self.assertEqual(meta["thanos"]["source"], "sidecar")
            self.assertEqual([f["rel_path"] for f in meta["thanos"]["files"]], ["chunks/000001", "index", "meta.json"])
        state = data / "thanos.shipper.json"
        wait_until(state.exists, "the sidecar has noted what it uploaded")
        self.assertEqual(set(json.loads(state.read_text())["uploaded"]), set(local))
        self.assertEqual(beside.metric("thanos_shipper_uploads_total"), len(local))
        listed = subprocess.run([find_prometheus("promtool"), "tsdb", "list", str(bucket)], check=True,
                                capture_output=True, text=True).stdout
        for block in local:
            self.assertIn(block, listed)

        gateway = self.run_process(store("store", self.scratch, directory_bucket(bucket)))
        gateway.ready()
        wait_until(lambda: gateway.metric("thanos_bucket_store_blocks_loaded") == len(local), "the gateway has the blocks")

        def answers(*endpoints):
            querier = self.run_process(query(f"query-{len(self.processes)}", self.scratch, endpoints))
            querier.ready()
            found = {}
            for text in ("backfilled_total", "sum by (instance) (rate(backfilled_total[10m]))",
                         "count_over_time(backfilled_total[1h])"):
                found[text] = querier.api("query_range", query=text, start=start, end=start + 7 * HOUR, step=300)["result"]
                self.assertEqual(len(found[text]), 3, text)
            found["labels"] = querier.api("label/instance/values", match__="backfilled_total", start=start,
                                          end=start + HOUR)
            return found
        from_prometheus = answers(beside.address)
        self.assertEqual(answers(gateway.address), from_prometheus)
        self.assertEqual(answers(beside.address, gateway.address), from_prometheus)

        # Without Prometheus the history is still there.
        self.assertEqual(beside.stop(), 0)
        server.stop()
        self.assertEqual(answers(gateway.address), from_prometheus)

    def test_a_prometheus_that_compacts_is_refused(self):
        server = self.run_process(Prometheus("prometheus", self.scratch, {"cluster": "a"},
                                             blocks=("2h", "1d")))
        server.ready()
        bucket = self.scratch / "bucket"
        bucket.mkdir()
        flags = [f"--tsdb.path={server.data}", f"--objstore.config={directory_bucket(bucket)}"]
        refused = self.run_process(sidecar("sidecar", self.scratch, server, flags))
        wait_until(lambda: not refused.alive(), "the sidecar gives up")
        self.assertEqual(refused.stop(), 1)
        self.assertIn("storage.tsdb.min-block-duration", refused.tail())
        told = self.run_process(sidecar("sidecar-told", self.scratch, server,
                                        [*flags, "--shipper.ignore-unequal-block-size"]))
        told.ready()
        self.assertEqual(told.stop(), 0)

    def test_a_prometheus_that_cuts_blocks_is_shipped(self):
        server = self.run_process(Prometheus("prometheus", self.scratch, {"cluster": "a", "replica": "0"},
                                             [("self", "127.0.0.1:1")], blocks=("10s", "10s")))
        server.ready()
        bucket = self.scratch / "bucket"
        bucket.mkdir()
        beside = self.run_process(sidecar("sidecar", self.scratch, server, [
            f"--tsdb.path={server.data}", f"--objstore.config={directory_bucket(bucket)}"]))
        beside.ready()
        # Prometheus looks for what can be cut once a minute, the sidecar for blocks twice.
        blocks = wait_until(lambda: blocks_of(bucket), "a block is in the bucket", timeout=180)
        self.assertTrue(all(m["compaction"]["level"] == 1 for m in blocks.values()))
        first = min(blocks.values(), key=lambda m: m["minTime"])
        gateway = self.run_process(store("store", self.scratch, directory_bucket(bucket)))
        gateway.ready()
        at = first["maxTime"] / 1000 - 1
        results = []
        for endpoint in (beside.address, gateway.address):
            querier = self.run_process(query(f"query-{len(self.processes)}", self.scratch, [endpoint]))
            querier.ready()
            results.append(wait_until(lambda q=querier: q.api("query", query="count_over_time(up[5s])", time=at)["result"],
                                      "the samples of the block"))
        self.assertEqual(results[0], results[1])
        self.assertEqual(request(gateway.url + "/-/ready").status, 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
