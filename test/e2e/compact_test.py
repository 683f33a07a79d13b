"""aevum compact over copies of the golden buckets: the blocks that Thanos made of them, and the same answers."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import (ROOT, Process, default_binary, directory_bucket, find_prometheus, free_port, query, store,
                     wait_until)

BUCKETS = ROOT.parent / "shared" / "golden" / "buckets"
DEDUP = ("--compact.enable-vertical-compaction", "--deduplication.replica-label=replica")
MODES = {
    "compacted": ("--compact.enable-vertical-compaction",),
    "deduped-one-to-one": DEDUP,
    "deduped-penalty": (*DEDUP, "--deduplication.func=penalty"),
}
QUERIES = (
    "sum by (cluster) (up{%s})",
    "sum by (job) (rate(http_requests_total{%s}[10m]))",
    "sum(rate(rpc_latency_seconds{%s}[10m]))",
    'count({__name__=~".+",%s})',
    'sum by (__name__) (count_over_time({__name__=~"node_.*|edge_value",%s}[1h]))',
)
# Late samples of us1 lie in a block of their own, which a querier takes for a replica until it is merged.
ASKED = [(query % matcher, dedup) for query in QUERIES
         for matcher, dedup in (('cluster=~".+"', "false"), ('cluster="eu1"', "true"))]


def metas(bucket):
    """meta.json by block, of the blocks that are not marked for deletion."""
    return {path.parent.name: json.loads(path.read_text()) for path in pathlib.Path(bucket).glob("*/meta.json")
            if not (path.parent / "deletion-mark.json").exists()}


def shape(bucket):
    """What does not depend on the run, of each block."""
    return sorted((sorted(meta["thanos"]["labels"].items()), meta["thanos"]["downsample"]["resolution"],
                   meta["minTime"], meta["maxTime"], meta["compaction"]["level"],
                   sorted(meta["compaction"]["sources"]), meta["stats"]["numSeries"])
                  for meta in metas(bucket).values())


def command(bucket, data, *flags):
    return [str(default_binary()), "compact", f"--objstore.config={directory_bucket(bucket)}", f"--data-dir={data}",
            "--consistency-delay=0s", "--delete-delay=0s", f"--http-address=127.0.0.1:{free_port()}", *flags]


@unittest.skipUnless(BUCKETS.exists(), f"the golden buckets are not here: {BUCKETS}")
class CompactTest(unittest.TestCase):
    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="aevum-e2e-"))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def copy(self, name, only=None):
        bucket = self.scratch / f"bucket-{len(list(self.scratch.iterdir()))}"
        bucket.mkdir()
        for block in (BUCKETS / name).iterdir():
            if only is None or block.name in only:
                shutil.copytree(block, bucket / block.name, copy_function=shutil.copyfile)
        for path in [bucket, *bucket.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        return bucket

    def compact(self, bucket, *flags):
        done = subprocess.run(command(bucket, self.scratch / "data", *flags), capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        return done.stderr

    def test_makes_the_blocks_of_thanos(self):
        for golden, flags in MODES.items():
            with self.subTest(golden):
                bucket = self.copy("raw")
                self.compact(bucket, *flags)
                self.assertEqual(shape(bucket), shape(BUCKETS / golden))
                before = sorted(metas(bucket))
                self.compact(bucket, *flags)
                self.assertEqual(sorted(metas(bucket)), before, "a second run had something to do")

    def test_adaptive_merges_replicas(self):
        bucket = self.copy("raw")
        self.compact(bucket, *DEDUP, "--deduplication.func=adaptive")
        self.assertEqual(shape(bucket), shape(BUCKETS / "deduped-penalty"))

    def test_downsamples(self):
        raw = [ulid for ulid, meta in metas(BUCKETS / "downsampled").items()
               if meta["thanos"]["downsample"]["resolution"] == 0]
        bucket = self.copy("downsampled", only=raw)
        self.compact(bucket)
        self.assertEqual(shape(bucket), shape(BUCKETS / "downsampled"))

    def test_prometheus_reads_the_blocks(self):
        promtool = find_prometheus("promtool")
        if promtool is None:
            self.skipTest("scripts/install-deps --prometheus has not been run")
        bucket = self.copy("raw")
        self.compact(bucket, *MODES["compacted"])
        listed = subprocess.run([promtool, "tsdb", "list", str(bucket)], capture_output=True, text=True, timeout=120)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        for ulid, meta in metas(bucket).items():
            self.assertIn(ulid, listed.stdout)
            analysed = subprocess.run([promtool, "tsdb", "analyze", str(bucket), ulid], capture_output=True,
                                      text=True, timeout=120)
            self.assertEqual(analysed.returncode, 0, analysed.stderr)
            self.assertIn(f"\nSeries: {meta['stats']['numSeries']}\n", analysed.stdout)

    def answers(self, bucket):
        """Of a querier over a store over the bucket, once it has all blocks."""
        directory = self.scratch / f"answers-{bucket.name}-{time.monotonic_ns()}"
        directory.mkdir()
        gateway = store("store", directory, directory_bucket(bucket))
        self.addCleanup(gateway.stop)
        gateway.ready()
        querier = query("query", directory, [gateway.address])
        self.addCleanup(querier.stop)
        querier.ready()
        wait_until(lambda: querier.api("query", query="count(up)", time="1780387200")["result"],
                   "the querier sees the store")
        found = {}
        for expression, dedup in ASKED:
            result = querier.api("query_range", query=expression, start="1780358400", end="1780401600", step="300",
                                 dedup=dedup)["result"]
            found[expression, dedup] = sorted(result, key=lambda series: json.dumps(series["metric"], sort_keys=True))
        return found

    def test_answers_stay_the_same(self):
        bucket = self.copy("raw")
        before = self.answers(bucket)
        self.assertTrue(all(before.values()), before.keys())
        self.compact(bucket, *MODES["compacted"])
        after = self.answers(bucket)
        for asked in ASKED:
            self.assertEqual(after[asked], before[asked], asked)

    def test_two_workers_and_a_kill(self):
        bucket = self.copy("raw")
        flags = MODES["compacted"]
        killed = Process("killed", command(bucket, self.scratch / "killed", *flags), self.scratch)
        self.addCleanup(killed.stop)
        wait_until(lambda: any(meta["compaction"]["level"] > 1 for meta in metas(bucket).values())
                   or not killed.alive(), "the first merged block")
        if killed.alive():
            killed.kill()
        workers = [subprocess.Popen(command(bucket, self.scratch / f"worker-{i}", *flags),
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for i in (1, 2)]
        for worker in workers:
            _, errors = worker.communicate(timeout=300)
            self.assertEqual(worker.returncode, 0, errors[-3000:])
        self.assertEqual(shape(bucket), shape(BUCKETS / "compacted"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
