"""aevum tools bucket over buckets in directories: what Thanos printed, and what the project says itself."""
import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import (ROOT, Process, default_binary, directory_bucket, free_port, request, store, wait_until)

BUCKETS = ROOT.parent / "shared" / "golden" / "buckets"
BLOCK = ROOT / "src" / "tsdb" / "testdata" / "block"
FIRST, SECOND = "01M8M3E7HQPPT22HEKAZ9MFKW0", "01M8M3E7HQPPT22HEKAZ9MFKW1"

# Blocks that only touch a bound have no sample between the two: Thanos lists them, we don't.
ONLY_TOUCH = {"raw.ls-time.stdout.txt"}
# Fields of log lines that depend on the run or on the program.
VOLATILE = {"ts", "caller", "duration", "duration_ms", "component"}


def bucket_tool(*arguments, bucket=None, stdin=None, timeout=120):
    storage = [f"--objstore.config={directory_bucket(bucket)}"] if bucket else []
    return subprocess.run([str(default_binary()), "tools", "bucket", *arguments, *storage], capture_output=True,
                          text=True, timeout=timeout, input=stdin)


def log_lines(text):
    """Lines of logfmt as sets of their fields, without what is volatile."""
    lines = []
    for line in text.splitlines():
        fields = dict(field.split("=", 1) for field in shlex.split(line.replace("\\n", " ")) if "=" in field)
        # The blocks of an overlap come in any order.
        if "overlap" in fields:
            fields["overlap"] = sorted(re.findall(r"<[^>]*>", fields["overlap"]))
        lines.append({k: v for k, v in fields.items() if k not in VOLATILE})
    return lines


def make_block(bucket, ulid, **changes):
    """A small block of promtool's, with external labels, in a directory that is a bucket."""
    shutil.copytree(BLOCK, bucket / ulid)
    (bucket / ulid / "tombstones").unlink()
    path = bucket / ulid / "meta.json"
    meta = json.loads(path.read_text())
    meta["ulid"] = ulid
    meta["compaction"]["sources"] = [ulid]
    meta["thanos"] = {"labels": {"cluster": "a", "replica": "0"}, "downsample": {"resolution": 0}, "source": "sidecar"}
    meta.update(changes)
    path.write_text(json.dumps(meta))
    return meta


class InScratch(unittest.TestCase):
    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="aevum-e2e-"))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def bucket(self, name="bucket", blocks=(FIRST,)):
        path = self.scratch / name
        path.mkdir()
        for block in blocks:
            make_block(path, block)
        return path

    def run_process(self, process):
        self.addCleanup(process.stop)
        return process


@unittest.skipUnless(BUCKETS.is_dir(), f"no golden buckets at {BUCKETS}")
class GoldenToolsTest(InScratch):
    """The outputs of Thanos's tools, by the arguments that gave them."""

    def golden(self, name):
        return (BUCKETS / "tools" / name).read_text()

    def check_stdout(self, name, ours, args):
        theirs = self.golden(name)
        if "inspect" in args:
            self.assertEqual(ours, theirs)
        elif "json" in args:
            def read(text):
                return sorted(re.split(r"(?<=^\})\n", text, flags=re.MULTILINE))
            self.assertEqual(read(ours), read(theirs))
        elif name in ONLY_TOUCH:
            touching = set(theirs.splitlines()) - set(ours.splitlines())
            self.assertEqual(set(ours.splitlines()) - set(theirs.splitlines()), set())
            self.assertEqual(len(touching), len(theirs.splitlines()) - len(ours.splitlines()))
            for block in touching:
                meta = json.loads((BUCKETS / "raw" / block / "meta.json").read_text())
                self.assertTrue(meta["maxTime"] == 1780372800000 or meta["minTime"] == 1780387200000, block)
            self.assertTrue(touching)
        else:
            # The order is random there; here it is that of the ULIDs.
            self.assertEqual(sorted(ours.splitlines()), sorted(theirs.splitlines()))
            self.assertEqual([x for x in ours.splitlines() if x], sorted(x for x in ours.splitlines() if x))

    def check_stderr(self, name, ours):
        theirs, lines = log_lines(self.golden(name)), log_lines(ours)
        for line in theirs:
            if line.get("level") == "error":
                cause = line["err"].split("preparing")[0].split("unquote")[0].strip()
                errors = " ".join(x.get("err", "") for x in lines if x["level"] == "error")
                # The words of Go's parser of literals say nothing to a user.
                self.assertIn("--selector" if cause == "invalid syntax" else cause, errors)
            else:
                self.assertIn(line, lines)
        self.assertEqual([x["msg"] for x in lines if x["level"] == "warn"],
                         [x["msg"] for x in theirs if x["level"] == "warn"])

    def test_outputs_are_those_of_thanos(self):
        marked = self.scratch / "marked"
        shutil.copytree(BUCKETS / "raw", marked)
        for path in [marked, *marked.rglob("*")]:
            path.chmod(0o755)  # what it was copied from may be read-only
        cases = [json.loads(line) for line in (BUCKETS / "tools" / "index.jsonl").read_text().splitlines()]
        self.assertGreater(len(cases), 40)
        for case in cases:
            if case["args"][0] != "tools":
                continue
            with self.subTest(case["bucket"], args=case["args"]):
                bucket = marked if case["bucket"] == "marked" else BUCKETS / case["bucket"]
                result = bucket_tool(*case["args"][2:], bucket=bucket)
                self.assertEqual(result.returncode, case["exit"], result.stderr)
                self.check_stdout(case["stdout"], result.stdout, case["args"])
                if "stderr" in case:
                    self.check_stderr(case["stderr"], result.stderr)
        for theirs in (BUCKETS / "marks").rglob("*.json"):
            ours = (marked / theirs.relative_to(BUCKETS / "marks")).read_text()
            def without_time(text):
                return re.sub(r"_time\":\d+", "_time\":0", text)
            self.assertEqual(without_time(ours), without_time(theirs.read_text()))

    def test_the_store_answers_about_its_blocks_as_thanos(self):
        gateway = self.run_process(store("store", self.scratch, directory_bucket(BUCKETS / "raw"))).ready()
        answers = [json.loads(line) for line in (BUCKETS / "answers" / "queries.jsonl").read_text().splitlines()]
        names = ("store-blocks-loaded", "store-blocks-global", "store-mark-bad-id", "store-mark-bad-action")
        for case in (a for a in answers if a["id"].split("-", 1)[1] in names):
            with self.subTest(case["id"]):
                theirs = json.loads((BUCKETS / "answers" / case["body"]).read_text())
                if case["method"] == "POST":
                    reply = request(f"{gateway.url}{case['path']}", form=dict(case["params"]))
                else:
                    query = "?view=loaded" if case["params"] else ""
                    reply = request(gateway.url + case["path"] + query)
                self.assertEqual(reply.status, case["status"])
                for header, value in case["headers"].items():
                    self.assertEqual(reply.headers[header], value)
                ours = reply.json
                if reply.status == 200:
                    if theirs["data"]["refreshedAt"] != ours["data"]["refreshedAt"]:
                        theirs["data"]["refreshedAt"] = ours["data"]["refreshedAt"]
                    for body in (ours, theirs):
                        body["data"]["blocks"].sort(key=lambda meta: meta["ulid"])
                else:
                    ours["error"], theirs["error"] = (x["error"].split(": ")[0] for x in (ours, theirs))
                self.assertEqual(ours, theirs)


class BucketToolsTest(InScratch):
    """The same tools on a bucket of the project's own."""

    def test_lists_inspects_and_verifies(self):
        bucket = self.bucket(blocks=(FIRST, SECOND))
        self.assertEqual(bucket_tool("ls", bucket=bucket).stdout, f"{FIRST}\n{SECOND}\n")
        self.assertEqual(bucket_tool("ls", "-o", "{{ .ULID }} {{ .Thanos.Labels.cluster }}", bucket=bucket).stdout,
                         f"{FIRST} a\n{SECOND} a\n")
        self.assertIn(f"{FIRST},2023-11-14T22:13:20Z,", bucket_tool("inspect", "--output=csv", bucket=bucket).stdout)
        result = bucket_tool("verify", "--issues=index_known_issues", bucket=bucket)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertNotIn("\x1b", result.stderr)  # no bar where there is no terminal

        segment = bucket / FIRST / "chunks" / "000001"
        segment.write_bytes(segment.read_bytes()[:-1] + b"\0")
        damaged = bucket_tool("verify", bucket=bucket)
        self.assertEqual(damaged.returncode, 1)
        self.assertIn(f"{FIRST}/chunks/000001: checksum of the chunk at offset", damaged.stderr)
        self.assertIn("overlapped_blocks", damaged.stderr)

    def test_marks_cleans_up_and_replicates(self):
        bucket, copy = self.bucket(blocks=(FIRST, SECOND)), self.bucket("copy", ())
        once = bucket_tool("replicate", "--single-run", "--matcher=cluster=\"a\"",
                           f"--objstore-to.config={directory_bucket(copy)}", bucket=bucket)
        self.assertEqual(once.returncode, 0, once.stderr)
        for path in bucket.rglob("*"):
            if path.is_file():
                self.assertEqual((copy / path.relative_to(bucket)).read_bytes(), path.read_bytes())

        def mark(*more):
            return bucket_tool("mark", f"--id={FIRST}", "--marker=deletion-mark.json", *more, bucket=bucket)
        self.assertEqual(mark("--details=old").returncode, 0)
        self.assertEqual(bucket_tool("ls", "--exclude-delete", bucket=bucket).stdout, f"{SECOND}\n")
        self.assertEqual(mark("--remove").returncode, 0)
        self.assertEqual(mark("--details=old").returncode, 0)
        kept = bucket_tool("cleanup", bucket=bucket)
        self.assertEqual(kept.returncode, 0, kept.stderr)
        self.assertTrue((bucket / FIRST / "meta.json").exists())
        done = bucket_tool("cleanup", "--delete-delay=0s", bucket=bucket)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([path.name for path in bucket.iterdir() if not path.name.startswith(".")], [SECOND])

    def test_uploads_the_blocks_of_a_directory(self):
        data, bucket = self.scratch / "data", self.bucket(blocks=())
        data.mkdir()
        shutil.copytree(BLOCK, data / FIRST)
        result = bucket_tool("upload-blocks", f"--path={data}", '--label=cluster="b"', '--label=replica="1"', bucket=bucket)
        self.assertEqual(result.returncode, 0, result.stderr)
        meta = json.loads((bucket / FIRST / "meta.json").read_text())
        self.assertEqual(meta["thanos"]["labels"], {"cluster": "b", "replica": "1"})
        self.assertEqual(meta["thanos"]["source"], "bucket.upload")
        self.assertEqual(bucket_tool("verify", bucket=bucket).returncode, 0)

    def test_refuses_what_can_not_be_right(self):
        bucket = self.bucket()
        cases = [
            (("ls",), None, 1, "--objstore.config or --objstore.config-file needed"),
            (("ls", "--output={{ .Nothing }}"), bucket, 1, "a block has no field .Nothing"),
            (("inspect", "--selector=cluster=a"), bucket, 1, "--selector: expected name="),
            (("inspect", "--sort-by=SIZE"), bucket, 2, "--sort-by: must be one of ULID"),
            (("verify", "--repair"), bucket, 1, "--objstore-backup.config"),
            (("verify", "--id=x"), bucket, 1, "--id=x: not a ULID"),
            (("mark", "--id=x"), bucket, 2, "--marker is required"),
            (("mark", f"--id={SECOND}", "--marker=no-compact-mark.json", "--details=x"), bucket, 1, "has no block"),
            (("upload-blocks",), bucket, 1, "--label"),
            (("replicate", "--single-run"), bucket, 1, "--objstore-to.config"),
            (("replicate", "--single-run", "--compaction-min=3", "--compaction-max=2"), bucket, 1, "not a range: 3 to 2"),
            (("nothing",), bucket, 2, "aevum tools bucket"),
        ]
        for arguments, storage, status, text in cases:
            with self.subTest(arguments):
                result = bucket_tool(*arguments, bucket=storage)
                self.assertEqual(result.returncode, status, result.stderr)
                self.assertIn(text, result.stderr)
                self.assertEqual(result.stdout, "")

    def test_help_teaches(self):
        shown = bucket_tool("verify", "--help").stdout
        self.assertIn("usage: aevum tools bucket verify [<flags>]", shown)
        self.assertIn("-r, --repair", shown)
        self.assertIn("Flags of all bucket commands: aevum tools bucket --help", shown)
        self.assertIn("upload-blocks", bucket_tool("--help").stdout)

    def test_a_terminal_shows_how_far_it_is(self):
        bucket = self.bucket()
        master, slave = pty.openpty()
        child = subprocess.Popen([str(default_binary()), "tools", "bucket", "verify",
                                  f"--objstore.config={directory_bucket(bucket)}"], stderr=slave, stdin=slave)
        os.close(slave)
        shown = b""
        try:
            while piece := os.read(master, 65536):
                shown += piece
        except OSError:
            pass  # how Linux tells that the other side is closed
        self.assertEqual(child.wait(30), 0)
        os.close(master)
        self.assertIn(b"\r\x1b[K", shown)
        self.assertIn(b"bucket verify [", shown)
        self.assertIn(b"verify task completed", shown)


class BlocksApiTest(InScratch):
    def mark(self, process, prefix="", **params):
        return request(f"{process.url}{prefix}/api/v1/blocks/mark", form=params)

    def web(self, bucket, *flags):
        port = free_port()
        process = Process("web", [str(default_binary()), "tools", "bucket", "web", f"--http-address=127.0.0.1:{port}",
                                  "--http-grace-period=1s", f"--objstore.config={directory_bucket(bucket)}", *flags],
                          self.scratch)
        process.url = f"http://127.0.0.1:{port}"
        self.run_process(process).wait_ready(process.url + "/-/ready")
        return process

    def test_the_viewer_shows_and_marks_blocks(self):
        bucket = self.bucket()
        process = self.web(bucket, "--refresh=1s", "--web.external-prefix=/seen", "--label=cluster")

        def blocks():
            data = request(process.url + "/seen/api/v1/blocks").json["data"]
            self.assertEqual(data["label"], "cluster")
            return [meta["ulid"] for meta in data["blocks"]]
        wait_until(lambda: blocks() == [FIRST], "the viewer has the block")
        make_block(bucket, SECOND)
        wait_until(lambda: blocks() == [FIRST, SECOND], "the viewer sees the new block")
        self.assertEqual(request(process.url + "/seen/api/v1/blocks?view=loaded").json["data"]["blocks"], [])
        flags = request(process.url + "/seen/api/v1/status/flags").json["data"]
        self.assertEqual((flags["refresh"], flags["objstore.config"]), ("1s", "<REDACTED>"))
        self.assertEqual(self.mark(process, "/seen", id=FIRST, action="DELETION", detail="x").status, 204)
        self.assertEqual(json.loads((bucket / FIRST / "deletion-mark.json").read_text())["details"], "x")
        metrics = request(process.url + "/metrics").body.decode()
        for text in ('http_requests_total{code="204",handler="blocks_mark",method="post"} 1', "thanos_bucket_blocks_meta_syncs_total",
                     'thanos_status{check="ready",component="bucket"} 1'):
            self.assertIn(text, metrics)
        self.assertEqual(process.stop(), 0)

    def test_the_store_shows_and_marks_blocks(self):
        bucket = self.bucket()
        gateway = self.run_process(store("store", self.scratch, directory_bucket(bucket))).ready()
        data = request(gateway.url + "/api/v1/blocks?view=loaded").json["data"]
        self.assertEqual([meta["ulid"] for meta in data["blocks"]], [FIRST])
        self.assertEqual(self.mark(gateway, id=FIRST, action="NO_COMPACTION", detail="x").status, 204)
        self.assertTrue((bucket / FIRST / "no-compact-mark.json").exists())
        self.assertEqual(request(gateway.url + "/api/v1/status/flags").json["data"]["objstore.config"], "<REDACTED>")
        self.assertEqual(request(gateway.url + "/api/v1/status/buildinfo").status, 200)
        self.assertEqual(gateway.stop(), 0)

    def test_what_flags_turn_off_is_off(self):
        bucket = self.bucket()
        gateway = self.run_process(store("quiet", self.scratch, directory_bucket(bucket),
                                         ["--disable-admin-operations", "--web.disable-cors"])).ready()
        refused = self.mark(gateway, id=FIRST, action="DELETION", detail="x")
        self.assertEqual((refused.status, refused.json["errorType"]), (400, "bad_data"))
        self.assertIsNone(refused.headers["Access-Control-Allow-Origin"])
        self.assertFalse((bucket / FIRST / "deletion-mark.json").exists())
        silent = self.run_process(store("silent", self.scratch, directory_bucket(bucket), ["--web.disable"])).ready()
        self.assertEqual(request(silent.url + "/api/v1/blocks").status, 404)

    def test_a_replication_goes_on_until_it_is_stopped(self):
        bucket, copy = self.bucket(), self.bucket("copy", ())
        port = free_port()
        process = self.run_process(Process(
            "replicate", [str(default_binary()), "tools", "bucket", "replicate", f"--http-address=127.0.0.1:{port}",
                          "--http-grace-period=1s", f"--objstore.config={directory_bucket(bucket)}",
                          f"--objstore-to.config={directory_bucket(copy)}"], self.scratch))
        process.wait_ready(f"http://127.0.0.1:{port}/-/ready")
        wait_until((copy / FIRST / "meta.json").exists, "the block is copied")
        wait_until(lambda: 'thanos_replicate_replication_runs_total{result="success"} 1'
                   in request(f"http://127.0.0.1:{port}/metrics").body.decode(), "the run is counted")
        self.assertIn('replicate="to"', request(f"http://127.0.0.1:{port}/metrics").body.decode())
        self.assertEqual(process.stop(signal.SIGTERM), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
