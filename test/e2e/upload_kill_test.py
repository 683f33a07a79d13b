"""The sidecar is killed at points of an upload, again and again: nothing that a reader takes for a block is ever less
than a block, Prometheus keeps what it has, and the next sidecar finishes the work."""
import hashlib
import os
import pathlib
import random
import time
import unittest

from buckets import DirectoryBucket, ObjectServer, S3Bucket
from harness import Prometheus, find_prometheus, query, sidecar, store, wait_until
from uploads import HOUR, UploadCase, blocks_of

# How often the sidecar dies at each of the points.
ROUNDS = int(os.environ.get("AEVUM_KILL_ROUNDS", "3"))


def contents(directory):
    """The bytes of all files by name, as hashes."""
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(pathlib.Path(directory).rglob("*")) if path.is_file()}


class KilledUploads:
    """For each kind of bucket."""

    def start(self, hours, series):
        self.data = self.scratch / "prometheus-data"
        self.first = self.backfill(self.data, hours, series)
        self.local = blocks_of(self.data)
        self.files = {block: contents(self.data / block) for block in self.local}
        self.server = self.run_process(Prometheus("prometheus", self.scratch, {"cluster": "a"}, data=self.data)).ready()

    def run_sidecar(self):
        return self.run_process(sidecar("sidecar", self.scratch, self.server, [
            f"--tsdb.path={self.data}", f"--objstore.config={self.bucket.config}", "--hash-func=SHA256"]))

    def check(self):
        """Each block of the bucket that a reader sees is whole; returns how many there are."""
        metas = self.bucket.metas()
        names = set(self.bucket.names())
        for block, meta in metas.items():
            stated = {file["rel_path"]: file for file in meta["thanos"]["files"]}
            self.assertEqual(set(stated), {"index", "chunks/000001", "meta.json"})
            for name, file in stated.items():
                self.assertIn(f"{block}/{name}", names)
                if name == "meta.json":
                    continue
                data = self.bucket.read(f"{block}/{name}")
                self.assertEqual(len(data), file["size_bytes"], name)
                self.assertEqual(hashlib.sha256(data).hexdigest(), self.files[block][name], name)
                self.assertEqual(file["hash"]["value"], self.files[block][name])
        self.assertEqual({name.split("/")[0] for name in names} - set(self.local), set())
        return len(metas)

    def kill(self, process, reached):
        """Kills the sidecar when it has come so far, or has nothing left to do."""
        wait_until(lambda: reached() or len(self.bucket.metas()) == len(self.local), "the upload goes on", timeout=120)
        process.kill()
        self.processes.remove(process)

    def finish(self):
        """What one that is not killed makes of the rest."""
        last = self.run_sidecar()
        state = self.data / "thanos.shipper.json"
        wait_until(lambda: state.exists() and set(self.bucket.metas()) == set(self.local), "the rest is uploaded",
                   timeout=180)
        self.assertEqual(last.ready().stop(), 0)
        self.processes.remove(last)
        self.assertEqual(self.check(), len(self.local))
        self.assertEqual({block: contents(self.data / block) for block in self.local}, self.files)
        left = [path for path in (self.data / "thanos").rglob("*") if path.is_file()]
        self.assertEqual(left, [], "of the links through which files go up nothing stays")

    def check_answer(self, series):
        gateway = self.run_process(store("store", self.scratch, self.bucket.config)).ready()
        wait_until(lambda: gateway.metric("thanos_bucket_store_blocks_loaded") == len(self.local), "the gateway has all",
                   timeout=120)
        querier = self.run_process(query("query", self.scratch, [gateway.address])).ready()
        hours = len(self.local) * 2
        counted = querier.api("query", query=f"sum(count_over_time(backfilled_total[{hours}h]))",
                              time=self.first + hours * HOUR - 1)["result"]
        self.assertEqual(int(counted[0]["value"][1]), series * hours * 60)


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class DirectoryKillTest(KilledUploads, UploadCase):
    def test_killed_at_each_point(self):
        series = 100
        self.start(12, series)
        links = self.data / "thanos" / "upload"

        def new_file(pattern):
            """A point: a file of this name that was not there when the sidecar began."""
            before = set(self.bucket.path.glob(pattern))
            return lambda: set(self.bucket.path.glob(pattern)) - before
        points = {
            "the links are made": lambda: lambda: any(links.glob("*/*")),
            "a file goes up": lambda: new_file(".aevum-upload/*"),
            "chunks are there": lambda: new_file("*/chunks/*"),
            "the index is there": lambda: new_file("*/index"),
            "a block is whole": lambda: new_file("*/meta.json"),
            "at any time": lambda: (lambda end: lambda: time.monotonic() > end)(
                time.monotonic() + random.uniform(0, 2)),
        }
        kills = 0
        for number in range(ROUNDS):
            self.bucket = DirectoryBucket(self.scratch / f"bucket-{number}")
            (self.data / "thanos.shipper.json").unlink(missing_ok=True)
            for name in random.sample(list(points), len(points)):
                with self.subTest(name, round=number):
                    reached = points[name]()
                    self.kill(self.run_sidecar(), reached)
                    self.check()
                    kills += 1
            self.finish()
        self.check_answer(series)
        print(f"killed {kills} times in {ROUNDS} rounds")


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
@unittest.skipIf(ObjectServer.missing(), ObjectServer.missing())
class ObjectServerKillTest(KilledUploads, UploadCase):
    def setUp(self):
        super().setUp()
        self.store = ObjectServer()
        self.addCleanup(self.store.stop)

    def test_killed_at_any_time(self):
        series = 20
        self.start(6, series)
        self.bucket = S3Bucket(self.store, "killed")
        for _ in range(ROUNDS):
            began = self.run_sidecar()
            # From what it asks first, as far as all that one upload takes.
            end = time.monotonic() + random.uniform(0.2, 3)
            self.kill(began, lambda end=end: time.monotonic() > end)
            self.check()
        self.finish()
        self.check_answer(series)


if __name__ == "__main__":
    unittest.main(verbosity=2)
