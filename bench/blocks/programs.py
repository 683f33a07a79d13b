"""Runs the programs that compare.py measures, on free loopback ports."""
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

READY_SECONDS = 600


def run(command):
    """Runs a program to its end and gives what it printed."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A program that serves; ended, with its data removed, at the end of the `with`."""

    def __init__(self, command, work=None):
        self.http, self.grpc = free_port(), free_port()
        self.data = tempfile.mkdtemp(dir=work) if work else None
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*map(str, command), f"--http-address=127.0.0.1:{self.http}", f"--grpc-address=127.0.0.1:{self.grpc}",
             "--log.level=warn", *([f"--data-dir={self.data}"] if self.data else [])],
            stdout=self.log, stderr=self.log)
        try:
            self.wait_until(lambda: self.get("/-/ready", timeout=10) is not None)
        except BaseException:
            self.__exit__()
            raise

    @classmethod
    def store(cls, binary, config, work):
        return cls([binary, "store", f"--objstore.config-file={config}"], work)

    @classmethod
    def query(cls, binary, stores):
        querier = cls([binary, "query", *(f"--endpoint=127.0.0.1:{store.grpc}" for store in stores)])
        querier.wait_until(lambda: len(json.loads(querier.get("/api/v1/stores") or b"{}").get("data") or {}) > 0)
        return querier

    def wait_until(self, condition):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.01)
        self.log.seek(0)
        raise SystemExit(f"not ready: {self.process.args}\n{self.log.read()[-4000:]}")

    def get(self, path, timeout=READY_SECONDS):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=timeout) as answer:
            return answer.read()

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        if self.data:
            shutil.rmtree(self.data, ignore_errors=True)


def ask(build, store, *question):
    """What ask_store counted, without the time that it took."""
    out = run([build / "bench/ask_store", f"127.0.0.1:{store.grpc}", *question])
    return out.rsplit(" seconds", 1)[0]


def range_query(querier, query, start, end, step):
    """The answer as it came."""
    params = urllib.parse.urlencode({"query": query, "start": start, "end": end, "step": step})
    return querier.get("/api/v1/query_range?" + params)


def count_points(answer):
    """The number of series and of points in the answer to a range query."""
    result = json.loads(answer)["data"]["result"]
    return {"series": len(result), "points": sum(len(one["values"]) for one in result)}
