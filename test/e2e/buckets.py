"""Buckets for tests: a directory, and one of a real object store, OpenStack Swift, which speaks S3 too."""
import json
import pathlib
import random
import shutil
import socket
import subprocess
import tempfile
import urllib.parse

from harness import ROOT, Failed, directory_bucket, request, wait_until

TOOL = ROOT.parent / "shared" / "tools" / "object-server"
KEEPER = ROOT / "src" / "objstore" / "testing" / "object_server_keeper.sh"
USER, KEY = "test:tester", "testing"
# The store, the three servers behind it, and its cache.
PORT_OFFSETS = (0, 10, 11, 12, 20)


class Bucket:
    def metas(self):
        """meta.json by block, of those that are whole for a reader."""
        return {name.split("/")[0]: json.loads(self.read(name)) for name in self.names() if name.endswith("/meta.json")}

    def download(self, path):
        """Copies all objects into a directory."""
        for name in self.names():
            target = pathlib.Path(path) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.read(name))


class DirectoryBucket(Bucket):
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.mkdir()
        self.config = directory_bucket(self.path)

    def names(self):
        """The names of all objects, without uploads that are under way."""
        found = (p.relative_to(self.path) for p in self.path.rglob("*") if p.is_file())
        return sorted(str(name) for name in found if name.parts[0] != ".aevum-upload")

    def read(self, name):
        return (self.path / name).read_bytes()


class ObjectServer:
    """The store of the tool in the folder `shared`, on free ports."""

    @staticmethod
    def missing():
        """Why there can be none; None when there can."""
        if not TOOL.exists():
            return f"no tool to start a store: {TOOL}"
        for program in ("swift-proxy-server", "swift-object-server", "memcached", "curl"):
            if not shutil.which(program):
                return f"scripts/install-deps --object-server has not been run: there is no {program}"
        return None

    def __init__(self):
        # The tool waits half a minute, which on a busy machine can be too little the first time.
        for attempt in range(4):
            try:
                self.start()
                break
            except Failed:
                self.stop()
                if attempt == 3:
                    raise
        login = request(f"http://127.0.0.1:{self.port}/auth/v1.0",
                        headers={"X-Storage-User": USER, "X-Storage-Pass": KEY})
        self.url, self.token = login.headers["X-Storage-Url"], login.headers["X-Auth-Token"]

    def start(self):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="aevum-store-"))
        self.port = free_ports()
        # It ends the servers also when this process is killed.
        self.keeper = subprocess.Popen([KEEPER, TOOL, directory, str(self.port)], stdin=subprocess.PIPE)
        wait_until(lambda: (directory / "up").exists() or (directory / "down").exists(), "the start of the store",
                   timeout=200)
        if not (directory / "up").exists():
            raise Failed(f"the store does not start: {(directory / 'log').read_text()}")

    def stop(self):
        self.keeper.stdin.close()
        self.keeper.wait()

    def send(self, method, path):
        """A request in the API that is the store's own."""
        reply = request(f"{self.url}/{urllib.parse.quote(path, safe='/?=&')}", method=method,
                        headers={"X-Auth-Token": self.token})
        if reply.status >= 300:
            raise Failed(f"{method} {path}: {reply.status} {reply.body[:200]!r}")
        return reply.body


class S3Bucket(Bucket):
    def __init__(self, server, name):
        self.server, self.name = server, name
        server.send("PUT", name)
        self.config = "type: S3\nconfig:\n" + "".join(f"  {key}: {json.dumps(value)}\n" for key, value in {
            "bucket": name, "endpoint": f"127.0.0.1:{server.port}", "region": "us-east-1", "insecure": True,
            "access_key": USER, "secret_key": KEY}.items())

    def names(self):
        return self.server.send("GET", f"{self.name}?format=plain").decode().split()

    def read(self, name):
        return self.server.send("GET", f"{self.name}/{name}")


def free_ports():
    """The first of the ports, all below the range that the system gives out for connections."""
    while True:
        port = random.randrange(12_000, 31_000)
        try:
            for offset in PORT_OFFSETS:
                with socket.socket() as s:
                    s.bind(("127.0.0.1", port + offset))
            return port
        except OSError:
            continue
