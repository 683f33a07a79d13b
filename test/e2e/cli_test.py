"""Command lines, exit codes, signals and bad surroundings."""
import http.server
import json
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness import Aevum, Prometheus, default_binary, find_prometheus, free_port, request, wait_until


def run(*arguments, timeout=20):
    return subprocess.run([str(default_binary()), *arguments], capture_output=True, text=True, timeout=timeout)


class CommandLineTest(unittest.TestCase):
    def test_refuses_what_can_not_be_right_with_exit_code_2(self):
        cases = [
            ((), "aevum: error:"),
            (("nothing",), "nothing"),
            (("query", "--no-such-flag"), "--no-such-flag"),
            (("query", "--query.timeout=soon"), "--query.timeout: "),
            (("sidecar", "--prometheus.get_config_interval=1d"), "--prometheus.get_config_interval: time: unknown unit"),
            (("query", "--log.level=loud"), "--log.level: must be one of"),
            (("sidecar", "--hash-func=MD5"), "--hash-func: must be one of"),
            (("store", "--objstore-parquet.config=type: S3"), "--objstore-parquet.config: is not available"),
            (("query", "--query.mode=remote"), "--query.mode"),
            (("query", "--http-address=x", "--http-address=y"), "--http-address: can't be given more than once"),
        ]
        for arguments, text in cases:
            with self.subTest(arguments):
                result = run(*arguments)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(text, result.stderr)
                self.assertEqual(result.stdout, "")

    def test_fails_at_run_time_with_exit_code_1(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = f"{scratch}/c.yml"
            with open(path, "w", encoding="utf-8") as file:
                file.write("{}")
            bucket = ("--http-address=127.0.0.1:0", "--grpc-address=127.0.0.1:0", f"--data-dir={scratch}",
                      f"--objstore.config={{type: FILESYSTEM, config: {{directory: {scratch}}}}}")
            cases = [
                (("sidecar", "--prometheus.http-client={}", f"--prometheus.http-client-file={path}"), "both"),
                (("sidecar", "--request.logging-config=options: {level: LOUD}"), "options.level"),
                (("query", "--http.config=/nowhere.yml"), "/nowhere.yml"),
                (("query", "--http-address=127.0.0.1:99999"), "127.0.0.1:99999"),
                (("query", "--endpoint=127.0.0.1:1", "--endpoint.sd-config=["), "endpoint.sd-config"),
                (("sidecar", "--prometheus.url=gopher://x"), "gopher"),
                (("sidecar", "--objstore.config=type: NOPE"), "--objstore.config: "),
                (("sidecar", "--shipper.upload-concurrency=-1"), "--shipper.upload-concurrency: must be at least 0"),
                (("store",), "--objstore.config"),
                (("store", "--objstore.config=type: S3", "--block-sync-concurrency=0"), "--block-sync-concurrency: must be at"),
                (("store", *bucket, "--index-cache.config=type: DISK"), "is none of IN-MEMORY, MEMCACHED, REDIS"),
                (("store", *bucket, "--index-cache.config=type: REDIS"), "--index-cache.config: REDIS: addr"),
                (("store", *bucket, "--index-cache.config={type: REDIS, config: {addr: 'a:1', cache_size: 1MB}}"),
                 "cache_size: this version keeps no copies"),
                (("store", *bucket, "--store.caching-bucket.config=type: GROUPCACHE"),
                 "--store.caching-bucket.config: type: this version has no GROUPCACHE"),
                (("query", "--query.default-tenant-id=a/b"), "--query.default-tenant-id: tenant name not valid"),
                (("query", "--query.refused-queries-file=/nowhere.yml"), "refused queries /nowhere.yml"),
                (("query", f"--query.refused-queries-file={path}"), f"{path}: line 1: the file is not a list"),
            ]
            for arguments, text in cases:
                with self.subTest(arguments):
                    ports = [a for flag in ("http", "grpc") if not any(x.startswith(f"--{flag}-address") for x in arguments)
                             for a in (f"--{flag}-address=127.0.0.1:{free_port()}",)]
                    result = run(*arguments, *ports)
                    self.assertEqual(result.returncode, 1, result.stderr)
                    self.assertIn(text, result.stderr)

    def test_help_teaches(self):
        for command in ("sidecar", "query"):
            result = run(command, "--help")
            self.assertEqual(result.returncode, 0)
            for text in ("HTTP server", "gRPC server", "--http-address=ADDRESS  (default: 0.0.0.0:10902)"):
                self.assertIn(text, result.stdout)
        self.assertIn("sidecar", run("--help").stdout)
        self.assertIn("version", run("--version").stdout)

    def test_logs_json_with_the_same_keys(self):
        with tempfile.TemporaryDirectory() as scratch:
            process = Aevum("query", "query", scratch, ["--log.format=json", "--log.level=debug"]).ready()
            self.assertEqual(process.stop(), 0)
            lines = [json.loads(line) for line in process.log.read_text().splitlines()]
            self.assertTrue(lines)
            for line in lines:
                self.assertEqual({"ts", "level", "component", "msg"} - set(line), set())


class SignalTest(unittest.TestCase):
    def test_drains_and_exits_0(self):
        with tempfile.TemporaryDirectory() as scratch:
            for sig in (signal.SIGTERM, signal.SIGINT):
                process = Aevum("query", "query", scratch, []).ready()
                self.assertEqual(process.stop(sig), 0)

    def test_goes_on_after_a_hangup(self):
        with tempfile.TemporaryDirectory() as scratch:
            process = Aevum("query", "query", scratch, []).ready()
            process.child.send_signal(signal.SIGHUP)
            self.assertEqual(request(process.url + "/-/ready").status, 200)
            self.assertEqual(process.stop(), 0)


class CrashTest(unittest.TestCase):
    def test_the_next_start_tells_which_queries_ran(self):
        with tempfile.TemporaryDirectory() as scratch, socket.socket() as silent:
            # An endpoint that takes connections and never says a word holds a query for its timeout.
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            flags = [f"--query.active-query-path={scratch}/active",
                     f"--endpoint-strict=127.0.0.1:{silent.getsockname()[1]}"]
            process = Aevum("query", "query", scratch, flags).ready()
            self.assertEqual(process.api("query", query="1 + 1")["result"][1], "2")
            threading.Thread(target=lambda: self.assertRaises(OSError, process.reply, "query", query='up{job="x"}'),
                             daemon=True).start()
            log = pathlib.Path(scratch) / "active" / "queries.active"
            wait_until(lambda: b'up{job=' in log.read_bytes(), "the query is in the file")
            self.assertEqual(log.stat().st_size, 1 + 20 * 1000)
            process.kill()
            again = Aevum("query", "again", scratch, flags).ready()
            text = again.log.read_text()
            self.assertIn("These queries didn't finish in prometheus' last run:", text)
            self.assertIn("up{job=", text)
            self.assertNotIn("1 + 1", text)
            self.assertEqual(log.read_bytes().strip(b"\0"), b"[")
            self.assertEqual(again.stop(), 0)


class BadSurroundingsTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)

    def start(self, component, flags):
        process = Aevum(component, component, self.scratch.name, flags)
        self.addCleanup(process.stop)
        return process

    def test_an_endpoint_that_is_no_store_is_named_and_harms_nothing(self):
        class Silent(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Silent)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        address = f"127.0.0.1:{server.server_address[1]}"
        nobody = f"127.0.0.1:{free_port()}"
        process = self.start("query", [f"--endpoint={address}", f"--endpoint={nobody}", "--endpoint.info-timeout=1s"])
        process.ready()
        for bad in (address, nobody):
            wait_until(lambda bad=bad: bad in process.log.read_text(), f"a log line names {bad}")
        self.assertEqual(process.api("query", query="up")["result"], [])
        self.assertEqual(process.stop(), 0)

    def test_a_server_that_is_no_prometheus(self):
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"status":"suc')

            def log_message(self, *_):
                pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        url = f"http://127.0.0.1:{server.server_address[1]}"
        process = self.start("sidecar", [f"--prometheus.url={url}", "--prometheus.get_config_interval=1s"])
        wait_until(lambda: url in process.log.read_text(), "a log line names the server")
        self.assertEqual(request(process.url + "/-/ready").status, 503)
        self.assertEqual(request(process.url + "/-/healthy").status, 200)
        self.assertEqual(process.metric("thanos_sidecar_prometheus_up"), 0)
        self.assertEqual(process.stop(), 0)

    @unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
    def test_a_prometheus_without_external_labels_ends_the_sidecar(self):
        server = Prometheus("prometheus", self.scratch.name, {}).ready()
        self.addCleanup(server.stop)
        process = self.start("sidecar", [f"--prometheus.url={server.url}"])
        wait_until(lambda: not process.alive(), "the sidecar ends")
        self.assertEqual(process.child.returncode, 1)
        self.assertIn("external labels", process.log.read_text())

    @unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
    def test_readiness_follows_prometheus(self):
        port = free_port()
        process = self.start("sidecar", [f"--prometheus.url=http://127.0.0.1:{port}", "--prometheus.get_config_interval=1s"])
        wait_until(lambda: request(process.url + "/-/ready").status == 503, "not ready without Prometheus")
        server = Prometheus("prometheus", self.scratch.name, {"replica": "0"}, port=port).ready()
        process.ready()
        self.assertEqual(process.metric("thanos_sidecar_prometheus_up"), 1)
        server.kill()
        wait_until(lambda: request(process.url + "/-/ready").status == 503, "not ready after the end of Prometheus")
        self.assertEqual(process.metric("thanos_sidecar_prometheus_up"), 0)


class HostileQueriesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.process = Aevum("query", "query", cls.scratch.name, []).ready()

    @classmethod
    def tearDownClass(cls):
        status = cls.process.stop()
        cls.scratch.cleanup()
        assert status == 0, cls.process.tail()

    def test_bad_parameters_are_400(self):
        for path, params in [("query", {}), ("query", {"query": "up{"}), ("query", {"query": "up", "time": "x"}),
                             ("query_range", {"query": "up", "start": 0, "end": 10, "step": 0}),
                             ("query_range", {"query": "up", "start": 10, "end": 0, "step": 1}),
                             ("query_range", {"query": "up", "start": 0, "end": 100000, "step": 1}),
                             ("query", {"query": "up", "dedup": "maybe"}), ("series", {}),
                             ("query_range", {"query": "up", "start": 0, "end": 10, "step": 0.0001})]:
            with self.subTest(path=path, params=params):
                reply = self.process.reply(path, **params)
                self.assertEqual((reply.status, reply.json["status"], reply.json["errorType"]), (400, "error", "bad_data"))
                self.assertEqual(reply.headers["Cache-Control"], "no-store")

    def test_a_query_of_8_mib_is_answered(self):
        query = "1" + "+1" * (4 << 20)
        reply = request(self.process.url + "/api/v1/query", form={"query": query})
        self.assertIn(reply.status, (200, 400, 422))
        self.assertIn("status", reply.json)

    def test_ten_thousand_parentheses_are_refused(self):
        reply = request(self.process.url + "/api/v1/query", form={"query": "(" * 10000 + "1" + ")" * 10000})
        self.assertIn(reply.status, (200, 400))

    def test_answers_go_on_beside_clients_that_never_read(self):
        stuck = []
        for _ in range(50):
            s = socket.create_connection(("127.0.0.1", self.process.http))
            s.sendall(b"GET /api/v1/query_range?query=vector(1)&start=0&end=10000&step=1 HTTP/1.1\r\nHost: x\r\n\r\n")
            stuck.append(s)
        began = time.monotonic()
        self.assertEqual(self.process.api("query", query="1")["resultType"], "scalar")
        self.assertLess(time.monotonic() - began, 5)
        for s in stuck:
            s.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
