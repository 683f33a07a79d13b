"""One trace of a query through the querier and the sidecar, seen by a collector of the OpenTelemetry protocol."""
import gzip
import http.server
import subprocess
import unittest

from harness import ProcessTest, Prometheus, default_binary, find_prometheus, query, request, sidecar, wait_until

CONFIG = """type: OTLP
config:
  client_type: http
  endpoint: $(COLLECTOR)
  insecure: true
  compression: gzip
  service_name: {}
  sampler_type: parentbasedneversample
"""
PARENT = "b7ad6b7169203331"


def fields(message):
    """The fields of a protobuf message: number to the list of its values, numbers or bytes."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value
    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            value = varint()
        else:
            size = varint() if tag & 7 == 2 else {1: 8, 5: 4}[tag & 7]
            value, at = message[at:at + size], at + size
        found.setdefault(tag >> 3, []).append(value)
    return found


class Span:
    """A span as the collector has got it; numbers of fields as in src/net/testdata/otlp/trace.proto."""

    def __init__(self, service, message):
        span = fields(message)
        self.service = service
        self.trace, self.id = span[1][0].hex(), span[2][0].hex()
        self.parent = span.get(4, [b""])[0].hex()
        self.name = span[5][0].decode()
        self.attributes = {fields(a)[1][0].decode(): next(iter(fields(fields(a)[2][0]).values()))[0]
                           for a in span.get(9, [])}


class Collector(http.server.BaseHTTPRequestHandler):
    spans = []
    refusing = False

    def do_POST(self):
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        status = 503 if self.refusing or self.path != "/v1/traces" else 200
        if status == 200:
            for of_resource in map(fields, fields(body)[1]):
                attributes = [fields(a) for a in fields(of_resource[1][0])[1]]
                names = {a[1][0]: fields(a[2][0])[1][0].decode() for a in attributes}
                for of_scope in map(fields, of_resource[2]):
                    self.spans.extend(Span(names[b"service.name"], s) for s in of_scope[2])
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class TracingTest(ProcessTest):
    @classmethod
    def start(cls):
        cls.collector = cls.serve(Collector)
        environment = {"COLLECTOR": f"127.0.0.1:{cls.collector.server_address[1]}"}
        log = "--request.logging-config={options: {level: DEBUG, decision: {log_start: false, log_end: true}}}"

        cls.prometheus = cls.keep(Prometheus("prometheus", cls.scratch, {"cluster": "eu1", "replica": "0"}))
        cls.prometheus.ready()
        cls.sidecar = cls.keep(sidecar("sidecar", cls.scratch, cls.prometheus,
                                  ["--tracing.config=" + CONFIG.format("sidecar"), log],
                                  environment=environment)).ready()
        cls.querier = cls.keep(query("query", cls.scratch, [cls.sidecar.address],
                                ["--tracing.config=" + CONFIG.format("query"), log],
                                environment=environment)).ready()
        wait_until(lambda: len(cls.querier.api("stores").get("sidecar", [])) == 1, "the sidecar is known")

    def ask(self, path="query?query=up", **headers):
        reply = request(f"{self.querier.url}/api/v1/{path}", headers={k.replace("_", "-"): v for k, v in headers.items()})
        self.assertEqual(reply.status, 200, reply.body)
        return reply

    def trace(self, trace_id, names):
        """The spans of a trace by service and name, once all of `names` are there."""
        def complete():
            spans = {(s.service, s.name): s for s in list(Collector.spans) if s.trace == trace_id}
            return spans if set(names) <= set(spans) else None
        return wait_until(complete, f"trace {trace_id} has {names}")

    CHAIN = [("query", "/query HTTP[server]"), ("query", "instant_query_exec"), ("query", "querier_select"),
             ("query", "/thanos.Store/Series"), ("sidecar", "/thanos.Store/Series"), ("sidecar", "query_prometheus")]

    def check_chain(self, trace_id, parent):
        spans = self.trace(trace_id, self.CHAIN + [("query", "query_gate_ismyturn")])
        for step in self.CHAIN:
            self.assertEqual(spans[step].parent, parent, step)
            parent = spans[step].id
        self.assertEqual(spans["query", "query_gate_ismyturn"].parent, spans["query", "/query HTTP[server]"].id)
        self.assertEqual(len({s.id for s in spans.values()}), len(spans))
        return spans

    def test_1_a_forced_query_is_one_trace(self):
        reply = self.ask(X_Thanos_Force_Tracing="1", X_Request_ID="r1")
        trace_id = reply.headers["X-Thanos-Trace-Id"]
        self.assertRegex(trace_id, "^[0-9a-f]{32}$")
        spans = self.check_chain(trace_id, "")
        first = spans["query", "/query HTTP[server]"].attributes
        self.assertEqual((first["http.status_code"], first["request_id"]), (200, b"r1"))
        self.assertEqual(spans["query", "instant_query_exec"].attributes["query"], b"up")
        self.assertEqual(spans["query", "/thanos.Store/Series"].attributes["target"], self.sidecar.address.encode())
        for process in (self.querier, self.sidecar):
            wait_until(lambda: f"traceID={trace_id}" in process.log.read_text(), f"{process.name} logs the trace")

    def test_2_a_trace_of_the_client_goes_on(self):
        trace_id = "0af7651916cd43dd8448eb211c80319c"
        reply = self.ask(traceparent=f"00-{trace_id}-{PARENT}-01")
        self.assertEqual(reply.headers["X-Thanos-Trace-Id"], trace_id)
        self.check_chain(trace_id, PARENT)

    def test_3_others_have_none(self):
        trace_id = "1af7651916cd43dd8448eb211c80319c"
        self.assertIsNone(self.ask().headers["X-Thanos-Trace-Id"])
        self.assertIsNone(self.ask(traceparent=f"00-{trace_id}-{PARENT}-00").headers["X-Thanos-Trace-Id"])
        self.assertEqual([s.name for s in list(Collector.spans) if s.trace == trace_id], [])

    def test_4_labels_and_rules_too(self):
        labels = self.ask("labels", X_Thanos_Force_Tracing="1").headers["X-Thanos-Trace-Id"]
        rules = self.ask("rules", X_Thanos_Force_Tracing="1").headers["X-Thanos-Trace-Id"]
        spans = self.trace(labels, [("query", "/label_names HTTP[server]"), ("sidecar", "/thanos.Store/LabelNames"),
                                    ("sidecar", "/prom_label_names HTTP[client]")])
        self.assertEqual(spans["sidecar", "/prom_label_names HTTP[client]"].parent,
                         spans["sidecar", "/thanos.Store/LabelNames"].id)
        spans = self.trace(rules, [("query", "proxy_rules"), ("query", "/thanos.Rules/Rules"),
                                   ("sidecar", "/thanos.Rules/Rules"), ("sidecar", "/prom_rules HTTP[client]")])
        self.assertEqual(spans["query", "/thanos.Rules/Rules"].parent, spans["query", "proxy_rules"].id)

    def test_5_a_collector_that_refuses_harms_no_query(self):
        Collector.refusing = True
        try:
            self.ask(X_Thanos_Force_Tracing="1")
            wait_until(lambda: "can't send spans to the collector" in self.querier.log.read_text(), "a line in the log")
            self.ask(X_Thanos_Force_Tracing="1")
        finally:
            Collector.refusing = False

    def test_6_the_last_spans_leave_at_the_end(self):
        # One that no interval has sent yet: the querier stops right after it.
        trace_id = self.ask(X_Thanos_Force_Tracing="1").headers["X-Thanos-Trace-Id"]
        exported = self.sidecar.metric("aevum_tracing_spans_exported_total")
        self.assertGreater(exported, 0)
        self.assertEqual(self.sidecar.metric('aevum_tracing_spans_dropped_total{reason="queue_full"}'), 0)
        for process in (self.sidecar, self.querier):
            self.assertEqual(process.stop(), 0)
        self.check_chain(trace_id, "")

    def test_7_what_can_not_be_done_is_refused_by_name(self):
        for config, text in (("type: STACKDRIVER", "exporter googlecloud"),
                             ("{type: OTLP, config: {client_type: http, colour: red}}", "unknown field in config: colour"),
                             ("type: $(NOT_SET_ANYWHERE)", "NOT_SET_ANYWHERE")):
            done = subprocess.run([str(default_binary()), "query", "--tracing.config=" + config], capture_output=True,
                                  text=True, timeout=60)
            self.assertEqual(done.returncode, 1)
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
