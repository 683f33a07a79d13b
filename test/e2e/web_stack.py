"""A whole installation for tests of the web application, and to look at it by hand.

usage: web_stack.py [--bucket FOLDER]

An HA pair of Prometheus servers with rules, a sidecar beside each, a store gateway and a bucket viewer over a copy of
FOLDER (ui/e2e/testdata/bucket by default), two queriers over all, one with a prefix. Prints one line of JSON with their URLs once samples are
there, and the folder of the bucket. POST /stop?name=NAME and /start?name=NAME of the URL `control` end and start a process. Ends with standard input.
"""
import http.server
import json
import math
import pathlib
import shutil
import sys
import tempfile
import threading
import time
import urllib.parse

from harness import (ROOT, Aevum, Failed, Prometheus, default_binary, directory_bucket, find_prometheus, free_port, query,
                     request, sidecar, store, wait_until)

DATA = ROOT / "ui" / "e2e" / "testdata"
PREFIX = "/of/its/own"
RULES = """
groups:
  - name: demo
    interval: 1s
    rules:
      - {record: "job:requests:rate1m", expr: "sum by (job) (rate(demo_requests_total[1m]))", labels: {team: x}}
      - alert: TargetUp
        expr: up == 1
        labels: {severity: page}
        annotations: {summary: "{{ $labels.instance }} is <b>up</b>", runbook: "javascript:window.hacked=1"}
      - {alert: Slow, expr: up == 1, for: 1h, labels: {severity: info}}
      - {alert: NeverFires, expr: up > 1}
  - name: "group <img src=x onerror=window.hacked=1>"
    interval: 1s
    rules:
      - {record: one, expr: vector(1)}
"""


def escaped(text, quote=True):
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text


def exposition(hostile):
    """Metrics of a made-up service as a function of the time, and the hostile texts."""
    now = time.time()
    lines = ["# HELP demo_requests_total Requests by code.", "# TYPE demo_requests_total counter"]
    for code, rate in (("200", 40), ("404", 3), ("500", 1)):
        for handler in ("/api", "/login", "/search"):
            lines.append(f'demo_requests_total{{code="{code}",handler="{handler}"}} {int(now % 1e6) * rate + len(handler)}')
    lines += ["# HELP demo_temperature_celsius Temperature of a room.", "# TYPE demo_temperature_celsius gauge"]
    for room in range(4):
        lines.append(f'demo_temperature_celsius{{room="{room}"}} {20 + 3 * math.sin(now / 40 + room):.4f}')
    lines += ["# HELP demo_latency_seconds Latency.", "# TYPE demo_latency_seconds histogram"]
    for bound, share in (("0.1", 0.5), ("0.5", 0.8), ("1", 0.95), ("+Inf", 1)):
        lines.append(f'demo_latency_seconds_bucket{{le="{bound}"}} {int(now % 1e6 * 40 * share)}')
    lines += [f"demo_latency_seconds_sum {now % 1e6 * 12:.1f}", f"demo_latency_seconds_count {int(now % 1e6 * 40)}"]
    lines += ["# HELP hostile_label One for each text.", "# TYPE hostile_label gauge"]
    for number, text in enumerate(hostile):
        lines.append(f'hostile_label{{case="{number:02}",text="{escaped(text)}"}} {number}')
    for number, text in enumerate(hostile):
        name = f"hostile_help_{number:02}"
        lines += [f"# HELP {name} {escaped(text, quote=False)}", f"# TYPE {name} gauge", f"{name} 1"]
    return "\n".join(lines) + "\n"


class Stack:
    """The processes by name; each can be ended and started again where it was."""

    def __init__(self, bucket):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="aevum-web-"))
        self.bucket = self.scratch / "bucket"
        shutil.copytree(bucket, self.bucket)
        self.rules = self.scratch / "rules.yml"
        self.rules.write_text(RULES)
        self.hostile = json.loads((DATA / "hostile.json").read_text())
        self.servers, self.makers, self.processes = [], {}, {}

    def serve(self, handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)
        return f"127.0.0.1:{server.server_address[1]}"

    def run(self, name, make):
        """Starts what `make` makes, now and whenever it is started again."""
        self.makers[name] = make
        self.processes[name] = make()
        return self.processes[name]

    def start(self):
        target = self.serve(target_handler(self.hostile))
        self.control = self.serve(control_handler(self))
        ports = {replica: free_port() for replica in "01"}
        targets = [("demo", target)] + [("prometheus", f"127.0.0.1:{port}") for port in ports.values()]
        sidecars = {}
        for replica, port in ports.items():
            labels = {"cluster": "us1", "replica": replica}
            prometheus = self.run(f"prometheus-{replica}", lambda name=f"prometheus-{replica}", labels=labels, port=port: (
                Prometheus(name, self.scratch, labels, targets, port, edit=self.with_rules)))
            addresses = {"http": free_port(), "grpc": free_port()}
            sidecars[replica] = self.run(f"sidecar-{replica}", lambda p=prometheus, r=replica, a=addresses: (
                sidecar(f"sidecar-{r}", self.scratch, p, **a)))
        bucket = directory_bucket(self.bucket)
        at = {name: {"http": free_port(), "grpc": free_port()} for name in ("store", "query", "prefixed", "bucket")}
        gateway = self.run("store", lambda: store("store", self.scratch, bucket, **at["store"]))
        # A strict endpoint that does not answer is told of in every answer.
        flags = [*(f"--endpoint-strict={one.address}" for one in (*sidecars.values(), gateway)),
                 "--endpoint.info-timeout=1s", "--query.promql-engine=thanos"]
        self.run("query", lambda: query("query", self.scratch, [], [*flags, "--web.prefix-header=X-Forwarded-Prefix"],
                                        **at["query"]))
        self.run("prefixed", lambda: query("prefixed", self.scratch, [], [*flags, f"--web.route-prefix={PREFIX}"],
                                           **at["prefixed"]))
        self.run("bucket", lambda: BucketViewer(self.scratch, bucket, at["bucket"]["http"]))
        for process in self.processes.values():
            process.ready()
        querier = self.processes["query"]
        wait_until(lambda: len(querier.api("query", query="rate(demo_requests_total[10s])", dedup="false")["result"]) == 18,
                   "rates of both replicas")
        wait_until(lambda: len(querier.api("rules")["groups"]) == 2 and querier.api("targets")["activeTargets"]
                   and len(querier.api("metadata")) > 20, "rules, targets and metadata")
        wait_until(lambda: len(self.blocks()) == len(list(self.bucket.iterdir())), "the viewer has seen the blocks")

    def with_rules(self, config):
        return f"rule_files: [{json.dumps(str(self.rules))}]\n" + config.replace(
            "scrape_interval: 1s", "scrape_interval: 1s\n  evaluation_interval: 1s")

    def blocks(self):
        return request(f"{self.processes['bucket'].url}/api/v1/blocks").json["data"]["blocks"] or []

    def start_again(self, name):
        self.processes[name].stop()
        self.processes[name] = self.makers[name]().ready()

    def urls(self):
        return {"control": f"http://{self.control}", "folder": str(self.bucket), "prefixed": self.processes["prefixed"].url + PREFIX,
                **{name: self.processes[name].url for name in ("query", "store", "bucket")}}

    def stop(self):
        for process in reversed(self.processes.values()):
            process.stop()
        for server in self.servers:
            server.shutdown()
            server.server_close()
        shutil.rmtree(self.scratch, ignore_errors=True)


class BucketViewer(Aevum):
    """aevum tools bucket web, which has no gRPC."""

    def __init__(self, directory, bucket, port):
        self.http, self.url = port, f"http://127.0.0.1:{port}"
        super(Aevum, self).__init__("bucket", [
            str(default_binary()), "tools", "bucket", "web", f"--objstore.config={bucket}", "--refresh=1s",
            f"--http-address=127.0.0.1:{port}", "--http-grace-period=5s"], directory)


class Quiet(http.server.BaseHTTPRequestHandler):
    def answer(self, status, text="", content_type="text/plain; version=0.0.4; charset=utf-8"):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def target_handler(hostile):
    class Target(Quiet):
        def do_GET(self):
            self.answer(200, exposition(hostile))
    return Target


def control_handler(stack):
    class Control(Quiet):
        def do_POST(self):
            url = urllib.parse.urlsplit(self.path)
            name = dict(urllib.parse.parse_qsl(url.query)).get("name")
            action = {"/stop": lambda: stack.processes[name].stop(), "/start": lambda: stack.start_again(name)}.get(url.path)
            if action is None or name not in stack.makers:
                self.answer(404)
                return
            try:
                action()
                self.answer(204)
            except (Failed, SystemExit) as error:
                self.answer(500, str(error))
    return Control


def main():
    arguments = sys.argv[1:]
    if arguments and (arguments[0] != "--bucket" or len(arguments) != 2):
        print(__doc__, file=sys.stderr)
        return 2
    if not find_prometheus():
        print("there is no Prometheus; scripts/install-deps --prometheus unpacks Debian's", file=sys.stderr)
        return 1
    stack = Stack(pathlib.Path(arguments[1]) if arguments else DATA / "bucket")
    try:
        stack.start()
        print(json.dumps(stack.urls()), flush=True)
        sys.stdin.read()
        return 0
    except (Failed, SystemExit) as error:
        print(error, file=sys.stderr)
        for process in stack.processes.values():
            print(f"-- {process.name}", process.tail(10), sep="\n", file=sys.stderr)
        return 1
    finally:
        stack.stop()


if __name__ == "__main__":
    sys.exit(main())
