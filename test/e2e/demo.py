"""Runs the scenario of the tests for a person: URLs, queries to try, logs until Ctrl-C."""
import signal
import sys
import tempfile
import time

from harness import Failed, Scenario, find_prometheus

QUERIES = [
    ("one series a target, although the pair stored each twice", "up"),
    ("the same with both replicas", "up&dedup=false"),
    ("requests a second of each cluster", "sum by (cluster) (rate(prometheus_http_requests_total[1m]))"),
]


def show(text):
    print("demo:", text, flush=True)


def follow(processes):
    files = [(p, open(p.log, errors="replace")) for p in processes]
    while True:
        idle = True
        for process, file in files:
            for line in file:
                print(f"{process.name:20} {line}", end="", flush=True)
                idle = False
            if not process.alive():
                show(f"{process.name} has ended; the others go on")
                files = [(p, f) for p, f in files if p is not process]
        if idle:
            time.sleep(0.2)


def main():
    if not find_prometheus():
        show("there is no Prometheus; scripts/install-deps --prometheus unpacks Debian's")
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="aevum-demo-") as directory:
        scenario = Scenario(directory, show, interval="5s")
        try:
            scenario.start()
            show(f"ready; process ids: {', '.join(f'{p.name} {p.child.pid}' for p in scenario.processes())}")
            for name, server in scenario.prometheus.items():
                print(f"  Prometheus {name:7} {server.url}    its sidecar {scenario.sidecars[name].url}/metrics")
            print(f"  querier            {scenario.querier.url}    its stores {scenario.querier.url}/stores\n")
            for what, query in QUERIES:
                print(f"  # {what}\n  curl -sG '{scenario.querier.url}/api/v1/query' "
                      + " ".join(f"--data-urlencode '{p if i else 'query=' + p}'" for i, p in enumerate(query.split("&"))))
            print(f"\n  # end one of the pair: the answers go on\n  kill {scenario.prometheus['us1-1'].child.pid}\n")
            follow(scenario.processes())
        except KeyboardInterrupt:
            show("ending everything")
            return 0
        except (Failed, SystemExit) as error:
            show(f"failed: {error}")
            return 1
        finally:
            scenario.stop()


if __name__ == "__main__":
    sys.exit(main())
