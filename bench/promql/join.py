#!/usr/bin/env python3
"""Joins figures of a Go benchmark with ours by the names of the cases and prints a Markdown table.

GO_OUTPUT is what `go test -bench` printed, OUR_JSON what --benchmark_out of promql_tables_bench wrote. Of
several runs of a case the fastest counts. With several suffixes (/old_engine, /new_engine) ours is
compared with the fastest of them. Cases that ours refuses, or that one side lacks, are listed below the table.

--peak takes files with a line a case: its name, a tab, and the bytes that the other engine had live at most. Then
the ratio of peaks takes the place of what the other allocates in all; of several engines the lowest peak counts.
"""
import argparse
import json
import math
import re
import sys

RESULT = re.compile(r"^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.e+]+) ns/op(.*)$")
NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def read_go(paths, suffixes):
    """Name to (nanoseconds, bytes allocated or None, suffix) of the fastest run."""
    best = {}
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                found = RESULT.match(line.strip())
                if not found:
                    continue
                name, time, rest = found[1], float(found[2]), found[3]
                suffix = next((s for s in suffixes if name.endswith(s)), None)
                if suffixes and suffix is None:
                    continue
                if suffix:
                    name = name[: -len(suffix)]
                allocated = re.search(r"([\d.]+) B/op", rest)
                if name not in best or time < best[name][0]:
                    best[name] = (time, float(allocated[1]) if allocated else None, suffix)
    return best


def read_peaks(paths, suffixes):
    """Name to the lowest peak of the other engines."""
    lowest = {}
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                name, peak = line.split("\t")[:2]
                suffix = next((s for s in suffixes if name.endswith(s)), "")
                name = name[: len(name) - len(suffix)]
                lowest[name] = min(lowest.get(name, math.inf), float(peak))
    return lowest


def read_ours(paths, prefix):
    """Name to (nanoseconds, peak bytes or None) of the fastest run, and name to the reason of a refusal."""
    best, refused = {}, {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            runs = json.load(file)["benchmarks"]
        for run in runs:
            name = run["name"]
            if run.get("run_type") == "aggregate" or not name.startswith(prefix + "/"):
                continue
            name = name[len(prefix) + 1 :]
            if run.get("error_occurred"):
                refused[name] = run["error_message"]
                continue
            time = run["cpu_time"] * NANOSECONDS[run["time_unit"]]
            if name not in best or time < best[name][0]:
                best[name] = (time, run.get("peak_bytes"))
    return best, {name: why for name, why in refused.items() if name not in best}


def duration(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def size(count):
    if count is None:
        return "–"
    for unit, factor in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} B"


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def plain(name):
    """The case as it stands in a cell of a table."""
    return "`" + name.replace("|", "\\|") + "`"


def print_table(rows, peaks, one_table):
    several = any(suffix for _, _, (_, _, suffix) in rows)
    columns = ["case", "ours", "theirs", *(["engine"] if several else []), "ratio", "our peak"]
    columns += ["their peak", "ratio of peaks"] if peaks else ["they allocate"]
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for name, (ours, peak), (theirs, allocated, suffix) in rows:
        cells = [plain(name.split("/", 1)[1] if one_table else name), duration(ours), duration(theirs)]
        if several:
            cells.append(suffix.strip("/").replace("_", " "))
        cells += [f"{ours / theirs:.3f}", size(peak)]
        if peaks:
            other = peaks.get(name)
            cells += [size(other), f"{peak / other:.2f}" if peak and other else "–"]
        else:
            cells.append(size(allocated))
        print("| " + " | ".join(cells) + " |")


def summary(rows, peaks):
    ratios = [ours[0] / theirs[0] for _, ours, theirs in rows]
    text = f"{len(rows)} cases, geometric mean {geometric_mean(ratios):.3f}, worst {max(ratios):.3f}"
    of_peaks = [ours[1] / peaks[name] for name, ours, _ in rows if ours[1] and peaks.get(name)]
    if of_peaks:
        text += f"; peaks of {len(of_peaks)}: geometric mean {geometric_mean(of_peaks):.3f}, worst {max(of_peaks):.2f}"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("go_output", nargs="+", help="outputs of Go, several runs perhaps")
    parser.add_argument("our_json", help="figures of ours; several files with commas between them")
    parser.add_argument("--suffix", action="append", default=[], help="of the names of the other engine")
    parser.add_argument("--prefix", default="Prometheus", help="of our names: Prometheus or Thanos")
    parser.add_argument("--table", help="only this one, for example RangeQuery")
    parser.add_argument("--peak", action="append", default=[], metavar="FILE", help="peaks of the other engine")
    parser.add_argument("--worst", type=int, metavar="N", help="only the N cases with the highest ratio")
    args = parser.parse_args()

    theirs = read_go(args.go_output, args.suffix)
    ours, refused = read_ours(args.our_json.split(","), args.prefix)
    if args.table:
        theirs, ours, refused = ({n: v for n, v in d.items() if n.startswith(args.table + "/")}
                                 for d in (theirs, ours, refused))
    rows = [(name, ours[name], theirs[name]) for name in ours if name in theirs]
    if not rows:
        sys.exit("join: no case has the same name on both sides; are --prefix and --suffix right?")
    ratio = {name: mine[0] / other[0] for name, mine, other in rows}
    shown = rows
    if args.worst is not None:
        shown = sorted(rows, key=lambda row: -ratio[row[0]])[: args.worst]
    peaks = read_peaks(args.peak, args.suffix)
    print_table(shown, peaks, args.table is not None)
    print("\n" + summary(rows, peaks))
    for name, why in refused.items():
        print(f"\nRefused: {plain(name)}: {why}")
    for side, names in (("us", theirs.keys() - ours.keys() - refused.keys()),
                        ("them", ours.keys() - theirs.keys())):
        for name in sorted(names):
            print(f"\nNot measured by {side}: {plain(name)}")


if __name__ == "__main__":
    main()
