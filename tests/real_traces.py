#!/usr/bin/env python3
"""Checks the figures of a report against real traces: an independent oracle, and a table of what is known of them.

    real_traces.py BINARY TRACES --truth TRUTH.tsv --oracle ORACLE.py [--rules DIR] [--trace WORD] [--list]

Every trace of the folder is reported with `triage --format json`. Compared are: time and launches of every kernel and
the totals, exclusive and hidden time of every kernel (oracle), and each claim of the table: fuse and pattern rows,
overlap, categories, stages, sites, names, framework, attribution, graphs; and the similarity note, also after a kernel
got another name. A trace with a NAME-capture file beside it is read alone and again together with it. The last line is
`N passed, N failed`; the exit code is 1 when one failed.

Columns of the table: trace, stage, family_keywords (parted by |), state, occurrences, microseconds (both with |
between alternatives), evidence_substring, kind, remark.
"""
import argparse
import collections
import csv
import gzip
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

SERVERS = ("sglang", "vllm", "trtllm", "tokenspeed")
STATES = ("in-use", "split", "partly")
STAGES = {"extend": ("prefill", "extend", "extend/prefill")}
TOLERANCE_US = 0.1
SLOW_SECONDS = 60
ENDINGS = (".trace.json.gz", ".json.gz", ".json")

# Files without rows in the table: exit code, GPU events, microseconds, whether the report must say what is missing.
OTHERS = {
    "rocprof-not-kineto": (3, None, None, False),
    "mtia-no-cuda": (0, 0, 0.0, False),
    "no-kernels-a100": (0, 0, 0.0, False),
    "kineto-2020-list-form": (0, 9848, 671620.0, False),
    "mi210-gpu-only": (0, 562, 5343.422, True),
    "cuda-event-sync": (0, 6, None, False),
}
NO_ROW = ("mtia-no-cuda", "kineto-2020-list-form", "mi210-gpu-only", "cuda-event-sync")

# The similarity note, read by hand: level and family, or None. The RoPE of transformers runs in five eager kernels for Q
# and five for K, which only a family of another framework speaks of.
NOTES = {
    "transformers-qwen1.5-0.5b-h100-eager": ("medium", "trtllm/rope-cos-sin-cache"),
}
# The note after one kernel got a name that no rule knows: trace, word of its name, note.
RENAMED = [
    ("sglang-qwen3-8b-mi300x-mixed", "rotary_embedding_kernel", ("high", "sglang/qk-norm-rope")),
    ("sglang-qwen3-8b-mi300x-mixed", "store_kvcache", ("high", "sglang/rope-kv-store")),
    ("vllm-gpt-oss-b200-eager", "scaled_fp8_quant_kernel_strided", ("high", "vllm/rope-quant-kv")),
    ("vllm-gpt-oss-b200-eager", "fused_add_rms_norm_kernel", ("high", "vllm/allreduce-rmsnorm")),
    # These are a whole chain by themselves, or stand in none.
    ("sglang-qwen3-8b-mi300x-mixed", "FmhaBatchPrefillWithPagedKVCacheKernel", None),
    ("sglang-qwen3-8b-mi300x-mixed", "act_and_mul_kernel", None),
    ("vllm-gpt-oss-b200-eager", "fmhaSm100aKernel", None),
]


class Tally:
    """Counts, and prints what failed."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good, what, expected="", got=""):
        if good:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAIL  {what}\n      expected  {expected}\n      got       {got}")


def near(one, two):
    return one is not None and two is not None and abs(one - two) <= TOLERANCE_US


def plain(text):
    return re.sub(r"[\s+_-]", "", (text or "").lower())


def matches(row, keywords):
    texts = plain(row["title"]), plain(row["family"])
    return any(plain(word) in text for word in keywords.split("|") for text in texts)


def alternatives(text, kind):
    return [None if part in ("-", "") else kind(part) for part in text.split("|")]


def in_stage(row, stage):
    return stage == "all" or row["stage"] in STAGES.get(stage, (stage,))


def show(row):
    return (f"{row['stage']} {row['family']} {row['state']} {row['confidence']} n={row['occurrences']} "
            f"us={row['time_us']:.3f}" + ("" if row["shown"] else " (not shown)"))


def run(binary, rules, paths):
    command = [binary, "triage", "--rules", rules, "--format", "json", *map(str, paths)]
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    return done, time.monotonic() - start


def oracle(script, path):
    command = [sys.executable, script, str(path), "--overlap"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def check_oracle(tally, name, report, reference):
    """Every kernel's time and launches, summed over the stages."""
    ours = collections.defaultdict(lambda: [0.0, 0])
    exposure = collections.defaultdict(lambda: [0.0, 0.0, 0.0])
    for row in report["kernels"]:
        ours[row["name"]][0] += row["time_us"]
        ours[row["name"]][1] += row["launches"]
        for n, key in enumerate(("exclusive_us", "hidden_us", "hidden_by_compute_us")):
            exposure[row["name"]][n] += row[key]
    for row in reference["kernels"]:
        alone, hidden, by_compute = exposure[row["name"]]
        # Events of no length stay active for the reference.
        if not near(row["exclusive_us"] + row["hidden_us"], row["time_us"]):
            continue
        good = near(alone, row["exclusive_us"]) and near(hidden, row["hidden_us"]) and by_compute <= hidden + TOLERANCE_US
        tally.check(good, f"{name}: exclusive and hidden time of {row['name'][:100]}",
                    (row["exclusive_us"], row["hidden_us"]), (alone, hidden, by_compute))
    theirs = {row["name"]: (row["time_us"], row["launches"]) for row in reference["kernels"]}
    for kernel in sorted(set(ours) | set(theirs)):
        got, want = ours.get(kernel), theirs.get(kernel)
        good = got and want and near(got[0], want[0]) and got[1] == want[1]
        tally.check(good, f"{name}: kernel {kernel[:100]}", want, got)
    tally.check(near(report["gpu"]["total_us"], reference["total_us"]), f"{name}: GPU time",
                reference["total_us"], report["gpu"]["total_us"])
    launches = report["attribution"]["launches"]
    tally.check(launches == reference["gpu_events"], f"{name}: GPU events", reference["gpu_events"], launches)


def compute_categories(rules):
    """Categories that `rules/categories.yaml` calls compute."""
    text = (pathlib.Path(rules) / "categories.yaml").read_text()
    pairs = re.findall(r"- category: (\S+)\n(?:(?!- category:).*\n)*?\s+compute: (true|false)", text)
    return {category for category, compute in pairs if compute == "true"}


def beside_compute(path, pid, is_compute):
    """Time of each kernel in which compute ran on another stream: each event against what is active at its start."""
    with gzip.open(path, "rt") as file:
        trace = json.load(file)
    events = trace["traceEvents"] if isinstance(trace, dict) else trace
    kinds = ("kernel", "gpu_memcpy", "gpu_memset", "memcpy", "memset")
    events = sorted((round(1000 * e["ts"]), round(1000 * (e["ts"] + e["dur"])), str(stream_of(e)), e["name"]) for e in events
                    if e.get("ph") == "X" and str(e.get("cat", "")).lower() in kinds and str(e["pid"]) == pid
                    and float(e.get("dur") or 0) > 0)
    pieces = collections.defaultdict(list)
    active = []
    for event in events:
        active = [other for other in active if other[1] > event[0]]
        for other in active:
            if other[2] != event[2]:
                both = (event[0], min(event[1], other[1]))
                for one, two in ((event, other), (other, event)):
                    if is_compute(two[3]):
                        pieces[one].append(both)
        active.append(event)
    times = collections.Counter()
    for event, parts in pieces.items():
        end = 0
        for start, stop in sorted(parts):
            times[event[3]] += max(0, stop - max(start, end))
            end = max(end, stop)
    return {name: nanos / 1000 for name, nanos in times.items()}


def stream_of(event):
    return (event.get("args") or {}).get("stream", event.get("tid"))


def check_by_compute(tally, name, report, path, pid, compute):
    category = {row["name"]: row["category"] for row in report["kernels"]}
    ours = collections.Counter()
    for row in report["kernels"]:
        ours[row["name"]] += row["hidden_by_compute_us"]
    theirs = beside_compute(path, pid, lambda kernel: category.get(kernel) in compute)
    apart = [(kernel[:80], theirs.get(kernel, 0), ours[kernel]) for kernel in ours
             if not near(ours[kernel], theirs.get(kernel, 0))]
    tally.check(not apart, f"{name}: time beside compute", "as an independent sweep has it", apart[:3])


def check_fuse(tally, label, claim, report):
    words, state = claim["family_keywords"], claim["state"].split(" ")[0]
    if state == "absent":
        rows = [row for row in report["fuse"] if row["state"] in STATES
                and (words == "any family" or matches(row, words))]
        tally.check(not rows, label, "no row in use, split or partly", "; ".join(map(show, rows)))
        return
    rows = [row for row in report["fuse"] if matches(row, words) and in_stage(row, claim["stage"])]
    counts, times = alternatives(claim["occurrences"], int), alternatives(claim["microseconds"], float)
    for family in {row["family"] for row in rows}:
        same = [row for row in rows if row["family"] == family and row["state"] == state]
        together = [same] if len(same) > 1 else []
        for group in [[row] for row in same] + together:
            number = sum(row["occurrences"] for row in group)
            spent = sum(row["time_us"] for row in group)
            kernels = [kernel["name"] for row in group for kernel in row["kernels"]]
            evidence = any(part in kernel for part in claim["evidence_substring"].split("|") for kernel in kernels)
            if evidence and any(number == n and near(spent, us) for n, us in zip(counts, times)):
                tally.check(True, label)
                return
    tally.check(False, label, f"{state} n={claim['occurrences']} us={claim['microseconds']} "
                f"with {claim['evidence_substring']}", "; ".join(map(show, rows)) or "no such row")


def check_rows(tally, label, claim, rows, category=None):
    """Launches and time of the kernels that the evidence names; all of them of one category when one is given."""
    parts = claim["evidence_substring"].split("|")
    named = [row for row in rows if in_stage(row, claim["stage"]) and any(part in row["name"] for part in parts)]
    number, spent = sum(row["launches"] for row in named), sum(row["time_us"] for row in named)
    others = sorted({row["category"] for row in named} - {category}) if category else []
    good = number == int(claim["occurrences"]) and near(spent, float(claim["microseconds"])) and not others
    tally.check(good, label, f"n={claim['occurrences']} us={claim['microseconds']} all {category or 'kept'}",
                f"n={number} us={spent:.3f}" + (f", also {', '.join(others)}" if others else ""))
    return named


def check_site(tally, label, claim, report):
    place = re.search(r"(\S+\.py):(\d+)(?: (\w+))?", claim["remark"])
    rows = [row for row in report["kernels"] if claim["evidence_substring"] in row["name"]
            and in_stage(row, claim["stage"])]
    row = max(rows, key=lambda row: row["launches"], default=None)
    sites = [site["location"] or "" for site in row["sites"]] if row else []
    first = re.sub(r"\((\d+)\): ?", r":\1 ", sites[0]) if sites else ""
    path, line, function = place.groups()
    good = f"{path}:{line}" in first and (function or "") in first and row["launches"] >= int(claim["occurrences"])
    tally.check(good, label, f"{place.group(0)} n>={claim['occurrences']}",
                f"{first or 'no site'} n={row['launches'] if row else 0}")


def check_graph(tally, label, claim, report):
    attribution, expected = report["attribution"], int(claim["occurrences"])
    if claim["family_keywords"].startswith("graph replay"):
        key = "by_position"
    elif claim["family_keywords"].startswith("capture launches"):
        key = "capture_launches"
    else:
        key = "launches"
    tally.check(attribution[key] == expected, f"{label} ({key})", expected, attribution[key])
    if key == "launches":
        check_rows(tally, label, claim, report["kernels"])


def check_attribution(tally, label, claim, report):
    attribution, expected = report["attribution"], int(claim["occurrences"])
    if claim["family_keywords"] == "events without launch":
        tally.check(attribution["without_launch"] == expected, label, expected, attribution["without_launch"])
    elif claim["family_keywords"] == "launching CPU op resolved":
        found = attribution["by_id"] + attribution["by_time"]
        tally.check(found == expected, label, expected, found)
    elif claim["family_keywords"] == "launching CPU op":
        rows = check_rows(tally, label, claim, report["kernels"])
        ops = sorted({op for row in rows for op in row["ops"][:1]})
        tally.check(ops == [claim["remark"]], label + " (op)", [claim["remark"]], ops)
    else:
        tally.check(not report["kernels"] and report["gpu"]["total_us"] == 0, label, "no GPU time",
                    report["gpu"]["total_us"])


def check_overlap(tally, label, claim, report):
    words, parts = claim["family_keywords"], claim["evidence_substring"].split("|")
    if words == "hidden":
        rows = [row for row in report["kernels"] if row["hidden_us"] > TOLERANCE_US]
        named = [row for row in rows if any(part in row["name"] for part in parts)]
        spent = sum(row["hidden_us"] for row in named)
        good = sum(row["launches"] for row in named) == int(claim["occurrences"]) and near(spent, float(claim["microseconds"]))
        tally.check(good, label, f"n={claim['occurrences']} us={claim['microseconds']}", f"{len(named)} rows us={spent:.3f}")
    elif words == "same-stream overlap":
        same = report["gpu"]["same_stream"]
        good = same["pairs"] == int(claim["occurrences"]) and near(same["us"], float(claim["microseconds"]))
        tally.check(good, label, f"n={claim['occurrences']} us={claim['microseconds']}", same)
    else:
        rows = [row for row in report["overlap"] + report["fuse"] if row.get("title") and matches(row, words)]
        tally.check(not rows, label, "no row", [row["id"] for row in rows])
        rows = [row for row in report["kernels"] if any(part in row["name"] for part in parts)]
        alone = sum(row["exclusive_us"] for row in rows)
        tally.check(near(alone, float(claim["microseconds"])), label + " (exposed)", claim["microseconds"], alone)


def check_claim(tally, name, claim, report, paired):
    """`paired` says that the capture was read too; some claims need it, graphs and sites of replays."""
    kind = claim["kind"]
    needs = kind == "graph" and claim["family_keywords"].startswith("graph replay")
    needs = needs or "with the capture" in claim["family_keywords"]
    if needs and not paired:
        return
    label = f"{name}: {kind} `{claim['family_keywords']}`"
    if kind in ("fuse", "pattern"):
        check_fuse(tally, label, claim, report)
    elif kind == "category":
        check_rows(tally, label, claim, report["kernels"], claim["family_keywords"])
    elif kind == "stage":
        rows = [row for row in report["kernels"] if in_stage(row, claim["stage"])]
        number, spent = sum(row["launches"] for row in rows), sum(row["time_us"] for row in rows)
        good = number == int(claim["occurrences"]) and near(spent, float(claim["microseconds"]))
        tally.check(good, f"{label} {claim['stage']}", f"n={claim['occurrences']} us={claim['microseconds']}",
                    f"n={number} us={spent:.3f}")
    elif kind == "name":
        rows = check_rows(tally, label, claim, report["kernels"])
        texts = [row["identifier"] for row in rows]
        tally.check(not any("ADDR" in text for text in texts), label + " (identifier)", "no ADDR", texts)
    elif kind == "overlap":
        check_overlap(tally, label, claim, report)
    elif kind == "site":
        check_site(tally, label, claim, report)
    elif kind == "framework":
        tally.check(report["framework"] not in SERVERS, label, "none of the four, or unknown", report["framework"])
    elif kind == "attribution":
        check_attribution(tally, label, claim, report)
    elif kind == "graph":
        check_graph(tally, label, claim, report)
    else:
        tally.check(False, label, "a known kind", kind)


def check_note(tally, label, note, expected):
    got = note and (note["level"], note["family"])
    tally.check(got == expected, f"{label}: note", expected, f"{got} {note and note['text']}")


def check_renamed(tally, given, name, path):
    """A copy of the trace in which a word of a kernel's name is another one of its length, so mangled names stay whole."""
    for _, word, expected in (row for row in RENAMED if row[0] == name):
        with gzip.open(path, "rt") as file:
            text = file.read()
        tally.check(word in text, f"{name}: {word} is there", "a kernel", "none")
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / f"{name}.trace.json"
            copy.write_text(text.replace(word, ("acme_odd_" + 99 * "q")[: len(word)]))
            done, _ = run(given.binary, given.rules, [copy])
        check_note(tally, f"{name} without {word}", json.loads(done.stdout)["note"], expected)


def check_report(tally, name, report, reference, claims, paired):
    check_oracle(tally, name, report, reference)
    for claim in claims:
        check_claim(tally, name, claim, report, paired)
    server = name.split("-")[0]
    if server in SERVERS:
        tally.check(report["framework"] == server, f"{name}: framework", server, report["framework"])
        total = report["gpu"]["total_us"] or 1.0
        rest = 100 * sum(row["time_us"] for row in report["kernels"] if row["category"] == "other") / total
        tally.check(rest <= 3.0, f"{name}: share of `other`", "at most 3 %", f"{rest:.2f} %")
    check_note(tally, name, report["note"], NOTES.get(name))
    rows = report["overlap"]
    sure = [row["id"] for row in rows if row["priority"] == "P1" and row["risk"] != "low"]
    tally.check(not sure, f"{name}: P1 has a reason to be independent", "none without", sure)
    gemms = [row["id"] for row in rows if row["family"] is None and row["category"] in ("gemm", "attention", "moe")]
    tally.check(not gemms, f"{name}: plain compute is no opportunity", "none", gemms)
    ids = [row["id"] for table in ("kernels", "fuse", "overlap") for row in report[table]]
    twice = [i for i, number in collections.Counter(ids).items() if number > 1]
    tally.check(not twice, f"{name}: ids of rows are unique", "none twice", twice[:3])


def check_other(tally, name, done, report):
    code, events, spent, unfit = OTHERS[name]
    tally.check(done.returncode == code, f"{name}: exit code", code, f"{done.returncode} {done.stderr[-300:]}")
    if code or report is None:
        tally.check(name in done.stderr, f"{name}: the message names the file", name, done.stderr[-300:])
        return
    launches = report["attribution"]["launches"]
    tally.check(launches == events, f"{name}: GPU events", events, launches)
    if spent is not None:
        tally.check(near(report["gpu"]["total_us"], spent), f"{name}: GPU time", spent, report["gpu"]["total_us"])
    if name in NO_ROW:
        rows = [row for row in report["fuse"] if row["state"] in STATES]
        tally.check(not rows, f"{name}: no family", "no row", "; ".join(map(show, rows)))
    if unfit:
        tally.check(report["fitness"], f"{name}: says what is missing", "a fitness finding", "none")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("traces", type=pathlib.Path)
    options.add_argument("--truth", required=True)
    options.add_argument("--oracle", required=True)
    options.add_argument("--rules", default=str(pathlib.Path(__file__).resolve().parent.parent / "rules"))
    options.add_argument("--trace", default="", help="only traces whose name contains this")
    options.add_argument("--list", action="store_true", help="print every fuse row too")
    given = options.parse_args()
    with open(given.truth, newline="") as file:
        truth = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    files = {}
    for path in sorted(given.traces.iterdir()):
        ending = next((ending for ending in ENDINGS if path.name.endswith(ending)), None)
        if ending:
            files[path.name[: -len(ending)]] = path
    tally, claimed = Tally(), set()
    for name, path in files.items():
        if given.trace not in name:
            continue
        claims = [claim for claim in truth if claim["trace"] == name]
        claimed.add(name)
        runs = [[path]] + ([[path, files[name + "-capture"]]] if name + "-capture" in files else [])
        for paths in runs:
            label = name if len(paths) == 1 else name + " + capture"
            done, seconds = run(given.binary, given.rules, paths)
            print(f"{seconds:7.2f} s  {label}", flush=True)
            tally.check(seconds < SLOW_SECONDS, f"{label}: time", f"under {SLOW_SECONDS} s", f"{seconds:.1f} s")
            report = None
            if done.returncode == 0:
                try:
                    report = json.loads(done.stdout)
                except ValueError as error:
                    tally.check(False, f"{label}: output is JSON", "JSON", f"{error}: {done.stdout[:200]}")
                    continue
            if name in OTHERS:
                check_other(tally, name, done, report)
            if report is None:
                if name not in OTHERS:
                    tally.check(False, f"{label}: exit code", 0, f"{done.returncode} {done.stderr[-500:]}")
                continue
            if given.list:
                for row in report["overlap"]:
                    print(f"            {row['priority']} {row['verdict']} {row['risk']} us={row['time_us']:.3f} {row['id']}")
                for row in report["fuse"]:
                    print(f"            {show(row)}  {row['title']}  {'; '.join(row['reasons'])}")
            if len(paths) == 1:
                check_renamed(tally, given, name, path)
            reference = oracle(given.oracle, path)
            check_report(tally, label, report, reference, claims, len(paths) > 1)
            check_by_compute(tally, label, report, path, reference["pid"], compute_categories(given.rules))
    if not given.trace:
        for name in sorted({claim["trace"] for claim in truth} - claimed):
            tally.check(False, f"{name}: has claims", "a file", "none in the folder")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
