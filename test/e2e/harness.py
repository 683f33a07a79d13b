"""Real processes on free loopback ports: Prometheus, the sidecar and the querier, for tests and the demo."""
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Failed(Exception):
    """A step did not work; the text says which and why."""


def free_port():
    """A port that nobody listens on, and that no connection of somebody gets before the caller listens: one below those
    that the kernel gives out."""
    lowest = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(10000, lowest), 100) if lowest > 11000 else [0]:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return s.getsockname()[1]
            except OSError:
                continue
    raise Failed("no free port")


def find_prometheus(tool="prometheus"):
    """The path of Debian's Prometheus (or promtool), or None."""
    configured = os.environ.get("AEVUM_PROMETHEUS")
    if configured:
        return str(pathlib.Path(configured).with_name(tool))
    unpacked = ROOT / "build" / "deps" / "prometheus" / "usr" / "bin" / tool
    return str(unpacked) if unpacked.exists() else shutil.which(tool)


def wait_until(condition, what, timeout=60.0):
    """Asks again until `condition` gives something true, and returns it."""
    end = time.monotonic() + timeout
    last = None
    while time.monotonic() < end:
        try:
            value = condition()
            if value:
                return value
        except (OSError, ValueError, KeyError, Failed) as error:
            last = error
        time.sleep(0.05)
    raise Failed(f"{what}: not within {timeout:.0f} s" + (f" ({last})" if last else ""))


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


def request(url, form=None, headers=None, method=None, timeout=30):
    """An HTTP request; answers of every status are replies."""
    data = urllib.parse.urlencode(form, doseq=True).encode() if form is not None else None
    call = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(call, timeout=timeout) as response:
            return Reply(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Reply(error.code, error.headers, error.read())


class Process:
    """A child process whose output goes to a file; ended by its process id."""

    def __init__(self, name, command, directory, environment=None):
        self.name = name
        self.log = pathlib.Path(directory) / f"{name}.log"
        with open(self.log, "ab") as output:
            self.child = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                                          env={**os.environ, **(environment or {})}, start_new_session=True)

    def alive(self):
        return self.child.poll() is None

    def wait_ready(self, url, timeout=60.0):
        def ready():
            if not self.alive():
                raise SystemExit(f"{self.name} ended with status {self.child.returncode}:\n{self.tail()}")
            return request(url, timeout=2).status == 200
        wait_until(ready, f"{self.name} is ready", timeout)

    def tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, sig=signal.SIGTERM, timeout=30.0):
        """Sends a signal and returns the exit status; kills what does not end in time."""
        if self.alive():
            self.child.send_signal(sig)
            try:
                self.child.wait(timeout)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode

    def kill(self):
        self.stop(signal.SIGKILL)


class Prometheus(Process):
    """Debian's Prometheus with external labels; `targets` are host:port of what it scrapes, `edit` changes its YAML,
    `blocks` are its least and largest block durations."""

    def __init__(self, name, directory, external_labels, targets=(), port=None, interval="1s", data=None, flags=(),
                 edit=lambda config: config, blocks=("2h", "2h")):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = pathlib.Path(data or pathlib.Path(directory) / f"{name}-data")
        self.config = pathlib.Path(directory) / f"{name}.yml"
        labels = "".join(f"    {k}: {json.dumps(v)}\n" for k, v in external_labels.items())
        scrapes = ""
        for job in sorted({job for job, _ in targets}):
            addresses = ", ".join(json.dumps(a) for j, a in targets if j == job)
            scrapes += f"  - job_name: {job}\n    static_configs: [{{targets: [{addresses}]}}]\n"
        self.config.write_text(edit(f"global:\n  scrape_interval: {interval}\n"
                                    + (f"  external_labels:\n{labels}" if labels else "")
                                    + (f"scrape_configs:\n{scrapes}" if scrapes else "")))
        super().__init__(name, [find_prometheus(), f"--config.file={self.config}",
                                f"--storage.tsdb.path={self.data}", f"--web.listen-address=127.0.0.1:{self.port}",
                                "--web.enable-lifecycle", f"--storage.tsdb.min-block-duration={blocks[0]}",
                                f"--storage.tsdb.max-block-duration={blocks[1]}", "--storage.tsdb.retention.time=100y",
                                *flags], directory)

    def ready(self):
        self.wait_ready(self.url + "/-/ready")
        return self


class Aevum(Process):
    """A component of aevum with its HTTP and gRPC addresses."""

    def __init__(self, component, name, directory, flags, binary=None, http=None, grpc=None, environment=None):
        self.http = http or free_port()
        self.grpc = grpc or free_port()
        self.url = f"http://127.0.0.1:{self.http}"
        self.address = f"127.0.0.1:{self.grpc}"
        command = [str(binary or default_binary()), component, f"--http-address=127.0.0.1:{self.http}",
                   f"--grpc-address={self.address}", "--http-grace-period=5s", "--grpc-grace-period=5s", *flags]
        super().__init__(name, command, directory, environment)

    def ready(self):
        self.wait_ready(self.url + "/-/ready")
        return self

    def api(self, path, form=None, method=None, **params):
        """`data` of an API answer; anything but success is a failure."""
        reply = self.reply(path, form, method, **params)
        if reply.json.get("status") != "success":
            raise Failed(f"{path}: {reply.status} {reply.body[:300]!r}")
        return reply.json["data"]

    def reply(self, path, form=None, method=None, **params):
        query = urllib.parse.urlencode([(k.replace("__", "[]"), x) for k, v in params.items()
                                        for x in (v if isinstance(v, (list, tuple)) else [v])])
        return request(f"{self.url}/api/v1/{path}" + (f"?{query}" if query else ""), form=form, method=method)

    def metric(self, name):
        """The value of a metric by its full text before the value, or None."""
        for line in request(self.url + "/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return None


def default_binary():
    return os.environ.get("AEVUM_BINARY") or ROOT / "build" / "release" / "aevum"


def sidecar(name, directory, prometheus, flags=(), **more):
    return Aevum("sidecar", name, directory, [f"--prometheus.url={prometheus.url}",
                                              "--prometheus.get_config_interval=1s", *flags], **more)


def query(name, directory, endpoints, flags=(), **more):
    return Aevum("query", name, directory, ["--query.replica-label=replica",
                                            *(f"--endpoint={e}" for e in endpoints), *flags], **more)


def store(name, directory, bucket_yaml, flags=(), **more):
    """A store gateway over a bucket, which it looks at every second."""
    data = pathlib.Path(directory) / f"{name}-data"
    return Aevum("store", name, directory, [f"--objstore.config={bucket_yaml}", f"--data-dir={data}",
                                            "--sync-block-duration=1s", *flags], **more)


def directory_bucket(path):
    """The configuration of a directory as a bucket."""
    return f"type: FILESYSTEM\nconfig:\n  directory: {json.dumps(str(path))}\n"


class ProcessTest(unittest.TestCase):
    """Processes that the tests of a class share, in a directory of theirs; `start`, a class method, starts them."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = pathlib.Path(tempfile.mkdtemp(prefix="aevum-e2e-"))
        cls.processes = []
        try:
            cls.start()
        except BaseException:
            for process in cls.processes:
                print(process.name, process.tail(), sep="\n")
            cls.tearDownClass()
            raise

    @classmethod
    def keep(cls, process):
        """What it is given, which ends with the class; one of ours that still runs then must end well."""
        cls.processes.append(process)
        return process

    @classmethod
    def tearDownClass(cls):
        running = [process for process in reversed(cls.processes) if process.alive()]
        statuses = {process.name: process.stop() for process in running}
        shutil.rmtree(cls.scratch, ignore_errors=True)
        bad = {process.name: statuses[process.name] for process in running
               if isinstance(process, Aevum) and statuses[process.name] != 0}
        if bad:
            raise AssertionError(f"ended with another status than 0: {bad}")

    @classmethod
    def serve(cls, handler):
        """An HTTP server that ends with the class."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        return server


class Scenario:
    """One Prometheus in EU1, an HA pair in US1 that scrapes the same targets, a sidecar beside each, one querier."""

    def __init__(self, directory=None, say=lambda text: None, interval="1s"):
        self.scratch = directory or tempfile.mkdtemp(prefix="aevum-e2e-")
        self.owned = directory is None
        self.say, self.interval = say, interval
        self.prometheus, self.sidecars, self.querier = {}, {}, None

    def start(self):
        servers = {"eu1-0": ("eu1", "0"), "us1-0": ("us1", "0"), "us1-1": ("us1", "1")}
        ports = {name: free_port() for name in servers}
        targets = [("prometheus", f"127.0.0.1:{port}") for port in ports.values()]
        for name, (cluster, replica) in servers.items():
            self.say(f"starting Prometheus {name} (cluster={cluster}, replica={replica})")
            self.prometheus[name] = Prometheus(f"prometheus-{name}", self.scratch,
                                               {"cluster": cluster, "replica": replica}, targets, ports[name],
                                               self.interval)
        for name, server in self.prometheus.items():
            server.ready()
            self.say(f"starting the sidecar of {name}")
            self.sidecars[name] = sidecar(f"sidecar-{name}", self.scratch, server)
        for one in self.sidecars.values():
            one.ready()
        self.say("starting the querier")
        self.querier = query("query", self.scratch, [s.address for s in self.sidecars.values()])
        self.querier.ready()
        self.say("waiting for the first samples")
        wait_until(lambda: len(self.querier.api("query", query="up == 1")["result"]) == 6, "six targets are up")
        return self

    def processes(self):
        return [p for p in (self.querier, *self.sidecars.values(), *self.prometheus.values()) if p]

    def stop(self):
        """Ends all; returns the exit status of each by name."""
        statuses = {p.name: p.stop() for p in self.processes()}
        if self.owned:
            shutil.rmtree(self.scratch, ignore_errors=True)
        return statuses
