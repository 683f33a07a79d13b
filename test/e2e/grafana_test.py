"""The calls of Grafana's data source for Prometheus, to aevum and to the Prometheus behind it: the same answers."""
import json
import pathlib
import re
import unittest
import urllib.parse

from demo_target import EXTERNAL, Demo
from harness import find_prometheus, request

# What Grafana asks, in our words: method, path under /api/v1, parameters (the form of a POST), and how the two answers
# are compared: `equal`; `schema`: the same fields and types; `types`: types of the values, whatever the fields;
# `status`: of HTTP alone; `error`: status, type and text; `error_type`: without the text; `expect`: Debian's Prometheus
# does not know the call, so that the answer itself stands there, or what is in it.
CALLS = json.loads((pathlib.Path(__file__).parent / "grafana_calls.json").read_text())

# What two questions to one server would not say alike.
MOVING = {"evaluationTime", "lastEvaluation", "activeAt"}
# Prometheus names the parameter before what is wrong with it; Thanos does not, and we only where Thanos has no call.
PARAMETER = re.compile('^invalid parameter "[^"]+": ')
# Fields that only one of the two has.
NOT_COMMON = {"analysis", "partialResponseStrategy", "scrapeInterval", "scrapeTimeout"}


def still(value):
    """With the types of what moves instead of its values."""
    if isinstance(value, list):
        return [still(v) for v in value]
    if isinstance(value, dict):
        return {k: type(v).__name__ if k in MOVING else still(v) for k, v in value.items()}
    return value


def as_prometheus(value):
    """Our answer without what aevum, as Thanos, means to say differently from the Prometheus behind it. All of it:
    external labels are on each series, rule and alert, and among the names; `analysis` is always there; rules tell
    their partialResponseStrategy; a recording rule without labels has an empty list of them."""
    if isinstance(value, list):
        return [as_prometheus(v) for v in value if v not in list(EXTERNAL)]
    if not isinstance(value, dict):
        return value
    extra = {k for k, v in EXTERNAL.items() if value.get(k) == v} | NOT_COMMON
    if value.get("type") == "recording" and not set(value.get("labels", {})) - set(EXTERNAL):
        extra.add("labels")
    return {k: as_prometheus(v) for k, v in value.items() if k not in extra}


def in_order(value):
    """Lists of objects, whose order means nothing here, sorted."""
    if isinstance(value, dict):
        return {k: in_order(v) for k, v in value.items()}
    if not isinstance(value, list):
        return value
    items = [in_order(v) for v in value]
    return sorted(items, key=lambda v: json.dumps(v, sort_keys=True)) if items and isinstance(items[0], dict) else items


def schema(value):
    """The fields and types of an answer; of a list those of its items."""
    if isinstance(value, dict):
        return {k: schema(v) for k, v in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(schema(v), sort_keys=True) for v in value})
    return type(value).__name__


@unittest.skipUnless(find_prometheus(), "no Prometheus: scripts/install-deps --prometheus unpacks one")
class GrafanaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.demo = demo = Demo()
        cls.querier, cls.prometheus = demo.querier, demo.prometheus
        # Longer names first: one is the start of another.
        cls.values = {"$start_minute": demo.start // 60 * 60, "$end_minute": (demo.end // 60 + 1) * 60,
                      "$start_ms": demo.start * 1000, "$end_ms": demo.end * 1000,
                      "$exemplars_start": demo.exemplar_time - 60, "$exemplars_end": demo.exemplar_time + 60,
                      "$rules_file": demo.rules, "$start": demo.start, "$end": demo.end}

    @classmethod
    def tearDownClass(cls):
        cls.demo.stop()

    def send(self, server, call):
        params = []
        for name, value in call["params"]:
            for placeholder, real in self.values.items():
                value = value.replace(placeholder, str(real))
            params.append((name, value))
        url = f"{server.url}/api/v1/{call['path']}"
        if call["method"] == "POST":
            return request(url, form=params)
        return request(url + ("?" + urllib.parse.urlencode(params) if params else ""))

    def compare(self, call, ours, theirs):
        mode = call["compare"]
        self.assertEqual(ours.status, theirs.status, (ours.body, theirs.body))
        if mode == "status":
            return
        self.assertEqual(ours.headers["Content-Type"], "application/json")
        a, b = (as_prometheus(still(answer.json)) for answer in (ours, theirs))
        if mode == "equal":
            self.assertEqual(ours.status, 200)
            self.assertEqual(in_order(a), in_order(b))
        elif mode == "schema":
            self.assertEqual(schema(a), schema(b))
        elif mode == "types":
            self.assertEqual({type(v) for v in a["data"].values()}, {type(v) for v in b["data"].values()})
        else:
            self.assertEqual((a["status"], a["errorType"]), (b["status"], b["errorType"]))
            self.assertTrue(a["error"])
            if mode == "error":
                self.assertEqual(*(PARAMETER.sub("", answer["error"]) for answer in (a, b)))

    def expect(self, call, ours):
        answer = ours.json
        self.assertEqual((ours.status, answer["status"]), (200, "success"))
        self.assertEqual(answer.get("warnings"), call.get("warnings"))
        if "data" in call:
            self.assertEqual(answer["data"], call["data"])
        if "count" in call:
            self.assertEqual(len(answer["data"]), call["count"])
        if "groups" in call:
            self.assertEqual({g["name"]: [r["name"] for r in g["rules"]] for g in answer["data"]["groups"]},
                             call["groups"])

    def test_calls(self):
        for call in CALLS:
            with self.subTest(call["name"]):
                ours = self.send(self.querier, call)
                if call["compare"] == "expect":
                    self.expect(call, ours)
                else:
                    self.compare(call, ours, self.send(self.prometheus, call))

    def test_external_labels_are_there(self):
        result = self.querier.api("query", query="up")["result"]
        self.assertEqual({s["metric"]["cluster"] for s in result}, {"eu1"})
        self.assertNotIn("replica", result[0]["metric"])
        self.assertEqual(self.querier.api("label/cluster/values"), ["eu1"])
        rules = [rule for group in self.querier.api("rules")["groups"] for rule in group["rules"]]
        self.assertEqual({rule["labels"]["cluster"] for rule in rules}, {"eu1"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
