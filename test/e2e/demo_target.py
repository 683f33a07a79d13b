"""A scrape target of a known content, and a Prometheus with a sidecar and a querier over it, for tests of clients."""
import http.server
import json
import pathlib
import shutil
import tempfile
import threading
import time

from harness import Prometheus, query, sidecar, wait_until

EXTERNAL = {"cluster": "eu1", "replica": "0"}
RULES = """
groups:
  - name: demo
    interval: 1s
    rules:
      - {record: "job:up:sum", expr: sum by (job) (up), labels: {team: x}}
      - {alert: Up, expr: up == 1, labels: {severity: page}, annotations: {summary: "{{ $labels.instance }} is up"}}
      - {alert: Never, expr: up > 1}
  - name: other
    interval: 1s
    rules:
      - {record: one, expr: vector(1)}
"""


def handler(exemplar_time):
    """Counters that grow with each scrape, exemplars that stay. They are far from 0, towards which servers of different
    versions extrapolate differently."""
    class Target(http.server.BaseHTTPRequestHandler):
        scrapes = 0

        def do_GET(self):
            n = Target.scrapes = Target.scrapes + 1
            body = f"""# TYPE demo_requests counter
# HELP demo_requests Number of <requests>.
demo_requests_total{{code="200"}} {1000 + 5 * n} # {{trace_id="abc"}} 0.5 {exemplar_time}.250
demo_requests_total{{code="500"}} {1000 + n // 3} # {{trace_id="def"}} 2 {exemplar_time + 1}
# TYPE demo_latency_seconds histogram
# UNIT demo_latency_seconds seconds
# HELP demo_latency_seconds Latency.
demo_latency_seconds_bucket{{le="0.5"}} {1000 + 2 * n}
demo_latency_seconds_bucket{{le="1.0"}} {1000 + 3 * n} # {{trace_id="ghi"}} 0.75 {exemplar_time + 2}
demo_latency_seconds_bucket{{le="+Inf"}} {1000 + 4 * n}
demo_latency_seconds_count {1000 + 4 * n}
demo_latency_seconds_sum {1.5 * n}
# EOF
""".encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass
    return Target


class Demo:
    """Starts all of it; `start` and `end` are seconds of a time that is over, with samples from both ends to the other.
    The alert Up fires. What does not start is shown by its log."""

    def __init__(self):
        self.scratch = tempfile.mkdtemp(prefix="aevum-demo-")
        self.rules = pathlib.Path(self.scratch) / "rules.yml"
        self.rules.write_text(RULES)
        self.exemplar_time = int(time.time()) - 30
        self.target = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(self.exemplar_time))
        threading.Thread(target=self.target.serve_forever, daemon=True).start()
        self.processes = []
        try:
            self._start()
        except BaseException:
            for process in self.processes:
                print(process.name, process.tail(), sep="\n")
            self.stop()
            raise

    def _run(self, process):
        self.processes.append(process)
        return process

    def _start(self):
        address = f"127.0.0.1:{self.target.server_address[1]}"
        self.prometheus = self._run(Prometheus(
            "prometheus", self.scratch, EXTERNAL, [("demo", address)], interval="250ms",
            flags=["--enable-feature=exemplar-storage"],
            edit=lambda config: f"rule_files: [{json.dumps(str(self.rules))}]\n" + config)).ready()
        leaf = self._run(sidecar("sidecar", self.scratch, self.prometheus)).ready()
        self.querier = self._run(query("query", self.scratch, [leaf.address])).ready()
        wait_until(lambda: self._value('ALERTS{alertname="Up"}') == 1, "an alert fires")
        wait_until(lambda: self.querier.api("metadata") and self.querier.api("rules")["groups"], "the sidecar offers all")
        # Eight seconds without a gap, the last of them over.
        wait_until(lambda: self._value("min(count_over_time(demo_requests_total[8s]))") >= 30, "scrapes without a gap")
        self.end = int(time.time()) - 1
        self.start = self.end - 6

    def _value(self, text):
        result = self.querier.api("query", query=text)["result"]
        return float(result[0]["value"][1]) if result else 0

    def stop(self):
        for process in reversed(self.processes):
            process.stop()
        self.target.shutdown()
        self.target.server_close()
        shutil.rmtree(self.scratch, ignore_errors=True)
