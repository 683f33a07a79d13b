"""Rules, alerts and targets of an HA pair through sidecars and queriers: what Prometheus itself answers, once."""
import json
import unittest

from harness import ProcessTest, Prometheus, find_prometheus, free_port, query, request, sidecar, wait_until

RULES = """
groups:
  - name: demo
    interval: 1s
    limit: 10
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: {team: x}
      - alert: Up
        expr: up == 1
        labels: {severity: page, where: "{{ $labels.job }}"}
        annotations: {summary: "{{ $labels.instance }} is <up>", runbook: ""}
      - alert: Slow
        expr: up == 1
        for: 1h
      - alert: Never
        expr: up > 1
  - name: other
    interval: 1s
    rules:
      - record: one
        expr: vector(1)
"""
# What no two servers, nor two questions to one, say alike.
MOVING = {"evaluationTime", "lastEvaluation", "activeAt", "lastScrape", "lastScrapeDuration", "partialResponseStrategy",
          "scrapeInterval", "scrapeTimeout"}
EXTERNAL = {"cluster": "eu", "replica": "0"}


def still(value, drop_external=True):
    """The part of an answer that can be compared."""
    if isinstance(value, list):
        return [still(v, drop_external) for v in value]
    if not isinstance(value, dict):
        return value
    return {k: still(v, drop_external) for k, v in value.items()
            if k not in MOVING and not (drop_external and k in EXTERNAL)}


def in_order(items):
    return sorted(items, key=lambda v: json.dumps(v, sort_keys=True))


def comparable_rules(data):
    groups = in_order(still(data["groups"]))
    for group in groups:
        for rule in group["rules"]:
            rule.setdefault("labels", {})  # Prometheus leaves out those of a recording rule that has none
            if "alerts" in rule:
                rule["alerts"] = in_order(rule["alerts"])
        group["rules"] = in_order(group["rules"])
    return groups


def with_rules(config, rules):
    """With a file of rules, and a job whose target is dropped."""
    config = config.replace("  scrape_interval:", "  evaluation_interval: 1s\n  scrape_interval:")
    return (f"rule_files: [{json.dumps(str(rules))}]\n{config}"
            "  - job_name: dropped\n    static_configs: [{targets: [\"127.0.0.1:1\"]}]\n"
            "    relabel_configs: [{action: drop, source_labels: [job], regex: dropped}]\n")


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class RulesTest(ProcessTest):
    @classmethod
    def start(cls):
        rules = cls.scratch / "rules.yml"
        rules.write_text(RULES)
        ports = [free_port(), free_port()]
        targets = [("pair", f"127.0.0.1:{port}") for port in ports] + [("gone", f"127.0.0.1:{free_port()}")]
        cls.servers = []
        for replica, port in enumerate(ports):
            cls.servers.append(cls.keep(Prometheus(
                f"prometheus-{replica}", cls.scratch, {"cluster": "eu", "replica": str(replica)}, targets, port,
                edit=lambda config: with_rules(config, rules))))
        for server in cls.servers:
            server.ready()
        cls.sidecars = [cls.keep(sidecar(f"sidecar-{i}", cls.scratch, server))
                        for i, server in enumerate(cls.servers)]
        for one in cls.sidecars:
            one.ready()
        # Strict: asked also when its Prometheus is gone.
        first, second = (s.address for s in cls.sidecars)
        endpoints = [f"--endpoint-strict={second}"]
        cls.querier = cls.keep(query("query", cls.scratch, [first], endpoints)).ready()
        cls.strict = cls.keep(query("query-strict", cls.scratch, [first], [
            *endpoints, "--no-rule.partial-response", "--no-target.partial-response"])).ready()
        cls.upper = cls.keep(query("query-upper", cls.scratch, [cls.querier.address])).ready()
        for server in cls.servers:
            wait_until(lambda s=server: cls.settled(s), f"rules and targets of {server.name} were evaluated")

    @classmethod
    def settled(cls, server):
        alerts = cls.theirs(server, "alerts")["alerts"]
        targets = cls.theirs(server, "targets")["activeTargets"]
        groups = cls.theirs(server, "rules")["groups"]
        return (sorted(a["state"] for a in alerts) == ["firing"] * 2 + ["pending"] * 2
                and sorted(t["health"] for t in targets) == ["down", "up", "up"]
                and all(r["health"] == "ok" for g in groups for r in g["rules"]))

    @staticmethod
    def theirs(server, path):
        return request(f"{server.url}/api/v1/{path}").json["data"]

    def test_1_rules_are_those_of_prometheus_with_external_labels(self):
        theirs = self.theirs(self.servers[0], "rules")
        for querier in (self.querier, self.strict, self.upper):
            with self.subTest(querier.name):
                reply = wait_until(lambda q=querier: (lambda r: r if r.json.get("data", {}).get("groups") else None)(
                    q.reply("rules")), "rules")
                self.assertNotIn("warnings", reply.json)
                ours = reply.json["data"]
                self.assertEqual(comparable_rules(ours), comparable_rules(theirs))
                for group in ours["groups"]:
                    self.assertEqual(group["partialResponseStrategy"], "ABORT")
                    for rule in group["rules"]:
                        self.assertEqual({k: rule["labels"].get(k) for k in EXTERNAL}, {"cluster": "eu", "replica": None})
        kinds = [(r["type"], r["name"]) for r in self.querier.api("rules", rule_group__="demo")["groups"][0]["rules"]]
        self.assertEqual(kinds, [("alerting", "Never"), ("alerting", "Slow"), ("alerting", "Up"),
                                 ("recording", "job:up:sum")])

    def test_2_rules_are_filtered(self):
        def names(**params):
            return {r["name"] for g in self.querier.api("rules", **params)["groups"] for r in g["rules"]}
        self.assertEqual(names(type="alert"), {"Up", "Slow", "Never"})
        self.assertEqual(names(type="record"), {"job:up:sum", "one"})
        self.assertEqual(names(match__='{team="x"}'), {"job:up:sum"})
        self.assertEqual(names(match__=['{cluster="eu"}', '{severity="page"}']), {"Up"})
        self.assertEqual(names(match__='{where=~".+"}'), set())  # a template
        self.assertEqual(names(rule_name__=["one", "Never"]), {"one", "Never"})
        self.assertEqual(names(rule_group__="other"), {"one"})
        self.assertEqual(names(file__="nowhere"), set())
        self.assertEqual(self.querier.reply("rules", type="odd").status, 400)
        self.assertEqual(self.querier.reply("rules", match__="{").status, 500)

    def test_3_alerts_are_those_of_prometheus(self):
        theirs = in_order(still(self.theirs(self.servers[0], "alerts")["alerts"], False))
        self.assertEqual(len(theirs), 4)
        for querier in (self.querier, self.strict, self.upper):
            with self.subTest(querier.name):
                ours = querier.api("alerts")["alerts"]
                self.assertEqual(in_order(still(ours, False)), theirs)
                self.assertTrue(all("activeAt" in a for a in ours))

    def test_4_targets_are_those_of_prometheus(self):
        def comparable(data):
            return {k: in_order(still(v)) for k, v in data.items() if k in ("activeTargets", "droppedTargets")}
        theirs = self.theirs(self.servers[0], "targets")
        for querier in (self.querier, self.strict, self.upper):
            with self.subTest(querier.name):
                ours = querier.api("targets")
                self.assertEqual(comparable(ours), comparable(theirs))
                for target in ours["activeTargets"]:
                    self.assertEqual(target["labels"]["cluster"], "eu")
                    self.assertEqual(target["discoveredLabels"]["cluster"], "eu")
                    self.assertNotIn("replica", target["labels"])
        self.assertEqual(len(theirs["droppedTargets"]), 1)
        self.assertEqual(self.querier.api("targets", state="Dropped")["activeTargets"], [])
        self.assertEqual(self.querier.api("targets", state="active")["droppedTargets"], [])
        self.assertEqual(self.querier.reply("targets", state="up").status, 400)

    def test_5_a_replica_that_is_gone_is_a_warning_or_an_error(self):
        whole = {path: self.querier.api(path) for path in ("rules", "targets")}
        self.servers[1].kill()
        for path in ("rules", "alerts", "targets"):
            with self.subTest(path):
                reply = self.querier.reply(path)
                self.assertEqual(reply.status, 200)
                self.assertEqual(reply.headers["Cache-Control"], "no-store")
                self.assertEqual(len(reply.json["warnings"]), 1)
                self.assertIn(self.sidecars[1].address, reply.json["warnings"][0])
                self.assertEqual(self.strict.reply(path).status, 500)
        self.assertEqual(len(self.querier.reply("rules").json["data"]["groups"]), len(whole["rules"]["groups"]))
        above = self.upper.reply("alerts")
        self.assertEqual(len(above.json["data"]["alerts"]), 4)
        self.assertIn(self.sidecars[1].address, above.json["warnings"][0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
