"""Blocks go through a sidecar into buckets of AZURE and GCS, on emulators, and a store gateway answers for them."""
import json
import os
import pathlib
import sys
import unittest
import urllib.request

from harness import ROOT, Prometheus, find_prometheus, query, sidecar, store, wait_until
from uploads import HOUR, UploadCase

sys.path.insert(0, str(ROOT / "test" / "emulators"))
import emulator  # pylint: disable=wrong-import-position

# Where the emulators are installed: the build folder.
FOLDER = pathlib.Path(os.environ.get("AEVUM_EMULATORS_FOLDER") or ROOT / "build" / "emulators")
ACCOUNT = "devstoreaccount1"  # of Azurite, with its key, as its documentation has them
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class EmulatedBucketsTest(UploadCase):
    def start(self, kind, folder):
        try:
            started = emulator.Emulator(kind, FOLDER / folder)
        except emulator.Skip as reason:
            self.skipTest(str(reason))
        self.addCleanup(started.stop)
        return started.url

    def move_blocks(self, config, environment=None):
        data = self.scratch / "prometheus-data"
        start = self.backfill(data)
        blocks = len(list(data.glob("*/meta.json")))
        server = self.run_process(Prometheus("prometheus", self.scratch, {"cluster": "a", "replica": "0"}, data=data)).ready()
        beside = self.run_process(sidecar("sidecar", self.scratch, server,
                                          [f"--tsdb.path={data}", f"--objstore.config={config}"],
                                          environment=environment)).ready()
        wait_until(lambda: beside.metric("thanos_shipper_uploads_total") == blocks, "all blocks are uploaded")
        gateway = self.run_process(store("store", self.scratch, config, environment=environment)).ready()
        wait_until(lambda: gateway.metric("thanos_bucket_store_blocks_loaded") == blocks, "the gateway has the blocks")

        def answer(name, endpoint):
            querier = self.run_process(query(name, self.scratch, [endpoint])).ready()
            return querier.api("query_range", query="sum by (instance) (rate(backfilled_total[10m]))", start=start,
                               end=start + 7 * HOUR, step=300)["result"]
        expected = answer("query-sidecar", beside.address)
        self.assertEqual(len(expected), 3)
        self.assertEqual(answer("query-store", gateway.address), expected)

    def test_azure(self):
        url = self.start("azurite", "azurite")
        self.move_blocks(json.dumps({"type": "AZURE", "prefix": "some/dir", "config": {
            "storage_account": ACCOUNT, "container": "blocks",
            "storage_connection_string": f"BlobEndpoint={url}/{ACCOUNT};AccountName={ACCOUNT};AccountKey={KEY}"}}))

    def test_gcs(self):
        url = self.start("fake-gcs", "fake-gcs")
        urllib.request.urlopen(urllib.request.Request(
            f"{url}/storage/v1/b?project=test", data=b'{"name": "blocks"}',
            headers={"Content-Type": "application/json"}), timeout=10).close()
        self.move_blocks(json.dumps({"type": "GCS", "prefix": "some/dir", "config": {"bucket": "blocks"}}),
                         {"STORAGE_EMULATOR_HOST": url})


if __name__ == "__main__":
    unittest.main(verbosity=2)
