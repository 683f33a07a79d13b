#!/usr/bin/env python3
"""usage: bench/blocks/compare.py [--divide N] [--rounds N] [--aevum FILE] [--thanos FILE] --work DIR ROW...

Measures `aevum store` and `aevum query`, and with --thanos a Thanos in turn with them, over the same
made-up filesystem bucket, and prints a line for each question and program: CPU (user and system) and peak
memory (VmHWM) of store and querier together, wall time, and ours divided by theirs.

rows:
  query    100,000 series of 1,000 pods x 6 h at 15 s in 3 blocks; sum by (pod) (rate(x[5m])), step 60 s
  series   Series over 1M series x 1 sample, 100,000 x 100, 1 x 10M, with chunks and without
  start    1,000 blocks of 50,000 series: until ready, then a first question
  tiny     20,000 blocks of 10 series: the same
  labels   label names and values with a matcher over 5M series

  --divide N    an N-th of the series, of the blocks in `start` and `tiny`
  --rounds N    how often each program is started for each question (3); the least CPU counts
  --build DIR   where generate_blocks, ask_store and aevum are (build/release)
  --aevum FILE  the binary (DIR/aevum)
  --thanos FILE a Thanos to compare with
  --work DIR    holds buckets, which are kept and used again, and the programs' data, which is not
"""
import argparse
import json
import pathlib
import shutil
import signal
import sys
import time

from programs import Program, ask, count_points, range_query, run

START = 1_700_000_000_000  # of the first block
QUERY = "sum by (pod) (rate(bench_requests_0000_total[5m]))"
ANY = ["__name__", "bench_requests_.*"]


def bucket(args, name, **options):
    """A bucket of these blocks under args.work, made when it is not there; the file that names it."""
    path = args.work / f"{name}-{args.divide}"
    config = path.with_suffix(".yaml")
    if not config.exists():
        shutil.rmtree(path, ignore_errors=True)
        run([args.build / "bench/generate_blocks", f"--bucket={path}",
             *(f"--{key}={value}" for key, value in options.items())])
        config.write_text(f"type: FILESYSTEM\nconfig:\n  directory: {path}\n")
    return config


def query(args, store_of, report):
    config = bucket(args, "query", series=100_000 // args.divide, codes=100, samples=480, blocks=3)
    for binary in store_of:
        with Program.store(binary, config, args.work) as store, Program.query(binary, [store]) as querier:
            for state in ("cold", "warm"):
                with report.measure(f"query {state}", binary, store, querier) as measured:
                    measured.answer = range_query(querier, QUERY, START / 1000, START / 1000 + 6 * 3600, 60)


def series(args, store_of, report):
    shapes = {"1M x 1": (1_000_000, 1), "100k x 100": (100_000, 100), "1 x 10M": (1, 10_000_000)}
    for name, (count, samples) in shapes.items():
        config = bucket(args, "series-" + name.replace(" ", ""), series=max(count // args.divide, 1),
                        samples=samples // (args.divide if count == 1 else 1), interval=1000)
        for binary in store_of:
            with Program.store(binary, config, args.work) as store:
                for what in ("series", "series-only", "series", "series-only"):
                    with report.measure(f"{name} {what}", binary, store) as measured:
                        measured.answer = ask(args.build, store, what, *ANY)


def started(args, store_of, report, name, config):
    for binary in store_of:
        with report.measure(f"{name} until ready", binary) as measured:
            store = Program.store(binary, config, args.work)
            measured.programs.append(store)
        with store, report.measure(f"{name} first question", binary, store) as measured:
            measured.answer = ask(args.build, store, "series-only", "pod", "app-00000001")


def start(args, store_of, report):
    config = bucket(args, "start", shape="kubernetes", series=50_000, samples=1, interval=7_200_000,
                    blocks=max(100 // args.divide, 1), streams=10)
    started(args, store_of, report, "start", config)


def tiny(args, store_of, report):
    config = bucket(args, "tiny", series=10, samples=2, interval=60_000, blocks=max(2_000 // args.divide, 1), streams=10)
    started(args, store_of, report, "tiny", config)


def labels(args, store_of, report):
    config = bucket(args, "labels", shape="kubernetes", series=5_000_000 // args.divide, metrics=10, samples=1)
    for binary in store_of:
        with Program.store(binary, config, args.work) as store:
            for what, label in (("names", ""), ("values", "node"), ("values", "pod")):
                with report.measure(f"labels: {what} {label}", binary, store) as measured:
                    measured.answer = ask(args.build, store, what, "namespace", "namespace-0.", label)


class Report:
    """Collects what was measured and prints the least of the rounds."""

    def __init__(self):
        self.least = {}

    def measure(self, question, binary, *programs):
        return Measured(self, question, binary, list(programs))

    def add(self, question, binary, wall, cpu, peak, answer):
        key = (question, binary)
        if key not in self.least or cpu < self.least[key]["cpu"]:
            self.least[key] = {"wall": wall, "cpu": cpu, "peak": peak, "answer": answer}

    def show(self, binaries):
        print(f"{'question':28} {'program':8} {'CPU s':>8} {'wall s':>8} {'peak MiB':>9}  ratios: CPU, wall, peak")
        for question in dict.fromkeys(question for question, _ in self.least):
            ours = self.least.get((question, binaries[0]))
            for binary in binaries:
                it = self.least.get((question, binary))
                if it is None:
                    continue
                line = f"{question:28} {pathlib.Path(binary).name:8} {it['cpu']:8.2f} {it['wall']:8.2f} {it['peak']:9.0f}"
                if it is not ours and ours:
                    line += "  " + ", ".join(f"{ours[k] / max(it[k], 0.005):.2f}" for k in ("cpu", "wall", "peak"))
                    if ours["answer"] != it["answer"]:
                        line += f"  ANSWERS DIFFER: {json.dumps(ours['answer'])} and {json.dumps(it['answer'])}"
                print(line)


class Measured:
    def __init__(self, report, question, binary, programs):
        self.report, self.question, self.binary, self.programs, self.answer = report, question, binary, programs, None

    def __enter__(self):
        self.before, self.began = {id(p): p.cpu_seconds() for p in self.programs}, time.monotonic()
        return self

    def __exit__(self, kind, value, traceback):
        if kind is None:
            wall = time.monotonic() - self.began
            cpu = sum(p.cpu_seconds() - self.before.get(id(p), 0) for p in self.programs)
            answer = count_points(self.answer) if isinstance(self.answer, bytes) else self.answer
            self.report.add(self.question, self.binary, wall, cpu, sum(p.peak_mib() for p in self.programs), answer)


ROWS = {"query": query, "series": series, "start": start, "tiny": tiny, "labels": labels}


def main():
    if "--help" in sys.argv or "-h" in sys.argv:
        print(__doc__)
        return 0
    parser = argparse.ArgumentParser(add_help=False, usage=__doc__)
    parser.add_argument("--divide", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--aevum")
    parser.add_argument("--thanos")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("rows", nargs="+", choices=ROWS)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the programs are ended
    args.work = args.work.resolve()
    args.work.mkdir(parents=True, exist_ok=True)
    binaries = [str(args.aevum or args.build / "aevum"), *([args.thanos] if args.thanos else [])]
    report = Report()
    for row in args.rows:
        for _ in range(args.rounds):
            ROWS[row](args, binaries, report)
    report.show(binaries)
    return 0


if __name__ == "__main__":
    sys.exit(main())
