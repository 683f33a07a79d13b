"""Blocks go from Prometheus through the sidecar into a bucket, and a store gateway answers for them."""
import json
import shutil
import subprocess
import threading
import unittest

from buckets import DirectoryBucket, ObjectServer, S3Bucket
from harness import Failed, Prometheus, find_prometheus, query, request, sidecar, store, wait_until
from uploads import HOUR, UploadCase, blocks_of


def difference(text, answer, expected):
    """Where an answer first differs, for people."""
    if not isinstance(answer, list) or len(answer) != len(expected):
        return f"{text}: {answer!r:.500}"
    for ours, theirs in zip(answer, expected):
        if ours["metric"] != theirs["metric"] or len(ours["values"]) != len(theirs["values"]):
            return f"{text}: {ours!r:.500}, not {theirs!r:.500}"
        for point, other in zip(ours["values"], theirs["values"]):
            if point != other:
                return f"{text}: {ours['metric']} {point}, not {other}"
    return None


class BlocksMove:
    """For each kind of bucket."""

    def test_blocks_move_to_the_bucket_and_answers_stay_the_same(self):
        data, bucket = self.scratch / "prometheus-data", self.make_bucket()
        start = self.backfill(data)
        local = blocks_of(data)
        self.assertGreaterEqual(len(local), 3)

        server = self.run_process(Prometheus("prometheus", self.scratch, {"cluster": "a", "replica": "0"}, data=data))
        server.ready()
        beside = self.run_process(sidecar("sidecar", self.scratch, server, [
            f"--tsdb.path={data}", f"--objstore.config={bucket.config}", "--hash-func=SHA256"]))
        beside.ready()
        wait_until(lambda: set(bucket.metas()) == set(local), "all blocks are in the bucket", timeout=180)

        for meta in bucket.metas().values():
            self.assertEqual(meta["thanos"]["labels"], {"cluster": "a", "replica": "0"})
            self.assertEqual(meta["thanos"]["source"], "sidecar")
            self.assertEqual([f["rel_path"] for f in meta["thanos"]["files"]], ["chunks/000001", "index", "meta.json"])
        state = data / "thanos.shipper.json"
        wait_until(state.exists, "the sidecar has noted what it uploaded")
        self.assertEqual(set(json.loads(state.read_text())["uploaded"]), set(local))
        self.assertEqual(beside.metric("thanos_shipper_uploads_total"), len(local))
        bucket.download(self.scratch / "downloaded")
        listed = subprocess.run([find_prometheus("promtool"), "tsdb", "list", str(self.scratch / "downloaded")],
                                check=True, capture_output=True, text=True).stdout
        for block in local:
            self.assertIn(block, listed)

        gateway = self.run_process(store("store", self.scratch, bucket.config))
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

    def test_answers_hold_while_blocks_move(self):
        data, bucket = self.scratch / "prometheus-data", self.make_bucket()
        start = self.backfill(data)
        local = blocks_of(data)

        def run_prometheus(**where):
            server = Prometheus("prometheus", self.scratch, {"cluster": "a", "replica": "0"}, data=data, **where)
            return self.run_process(server).ready()
        server = run_prometheus()
        texts = ("backfilled_total", "sum by (instance) (rate(backfilled_total[10m]))",
                 "count_over_time(backfilled_total[1h])")

        def ask(url, text):
            form = {"query": text, "start": start, "end": start + 7 * HOUR, "step": 300}
            answer = request(f"{url}/api/v1/query_range", form=form).json
            if answer["status"] != "success":
                raise Failed(answer)
            return answer["data"]["result"]
        alone = self.run_process(sidecar("sidecar-alone", self.scratch, server)).ready()
        over_it = self.run_process(query("query-alone", self.scratch, [alone.address])).ready()
        expected = {text: ask(over_it.url, text) for text in texts}
        self.assertEqual({len(result) for result in expected.values()}, {3})
        over_it.stop()
        alone.stop()

        gateway = self.run_process(store("store", self.scratch, bucket.config)).ready()
        beside = self.run_process(sidecar("sidecar", self.scratch, server, [
            f"--tsdb.path={data}", f"--objstore.config={bucket.config}"])).ready()
        querier = self.run_process(query("query", self.scratch, [beside.address, gateway.address])).ready()
        wait_until(lambda: ask(querier.url, texts[0]) == expected[texts[0]], "the querier has found the sidecar")
        wrong, stop, asked = [], threading.Event(), {text: 0 for text in texts}

        def watch():
            while not stop.is_set() and not wrong:
                for text in texts:
                    try:
                        answer = ask(querier.url, text)
                    except (OSError, Failed) as error:
                        answer = error
                    asked[text] += 1
                    if answer != expected[text]:
                        wrong.append(difference(text, answer, expected[text]))
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            wait_until(lambda: set(bucket.metas()) == set(local), "all blocks are in the bucket", timeout=180)
            wait_until(lambda: gateway.metric("thanos_bucket_store_blocks_loaded") == len(local),
                       "the gateway has the blocks", timeout=180)
            wait_until(lambda: querier.api("stores")["store"][0]["minTime"] == start * 1000, "the querier knows of them")
            # What retention does to Prometheus, a block at a time; meanwhile it does not answer at all.
            for block in sorted(local, key=lambda block: local[block]["minTime"]):
                before = dict(asked)
                server.stop()
                shutil.rmtree(data / block)
                server = run_prometheus(port=server.port)
                wait_until(lambda: wrong or all(asked[text] > before[text] for text in texts), "the querier is asked")
        finally:
            stop.set()
            watcher.join()
        self.assertEqual(wrong, [])
        self.assertEqual(ask(server.url, texts[0]), [])  # Prometheus has lost them all


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
@unittest.skipIf(ObjectServer.missing(), ObjectServer.missing())
class ObjectServerUploadTest(BlocksMove, UploadCase):
    @classmethod
    def setUpClass(cls):
        cls.server, cls.buckets = ObjectServer(), 0

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def make_bucket(self):
        type(self).buckets += 1
        return S3Bucket(self.server, f"blocks-{self.buckets}")


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class DirectoryUploadTest(BlocksMove, UploadCase):
    def make_bucket(self):
        return DirectoryBucket(self.scratch / "bucket")

    def test_a_prometheus_that_compacts_is_refused(self):
        server = self.run_process(Prometheus("prometheus", self.scratch, {"cluster": "a"},
                                             blocks=("2h", "1d")))
        server.ready()
        flags = [f"--tsdb.path={server.data}", f"--objstore.config={self.make_bucket().config}"]
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
        bucket = self.make_bucket()
        beside = self.run_process(sidecar("sidecar", self.scratch, server, [
            f"--tsdb.path={server.data}", f"--objstore.config={bucket.config}"]))
        beside.ready()
        # Prometheus looks for what can be cut once a minute, the sidecar for blocks twice.
        blocks = wait_until(bucket.metas, "a block is in the bucket", timeout=180)
        self.assertTrue(all(m["compaction"]["level"] == 1 for m in blocks.values()))
        first = min(blocks.values(), key=lambda m: m["minTime"])
        gateway = self.run_process(store("store", self.scratch, bucket.config))
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
