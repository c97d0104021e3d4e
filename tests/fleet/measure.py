#!/usr/bin/env python3
"""Time, memory and disk of a fleet on this machine, and what that makes for a hundred nodes.

    cargo build --release --bin llm-prof --example fixtures
    python3 tests/fleet/measure.py target/release/llm-prof target/release/examples/fixtures

Generates fleets of small traces, of 5,000 at most unless `--traces` says otherwise, and triages each into a folder: first
all of it, then again with nothing to do, then `fleet report` on it, with and without a baseline. `--real FOLDER` adds what
traces of real size take, from which the arithmetic of the nodes follows. What is no flag of this script is one of llm-prof.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path


def run(command):
    """Wall seconds, processor seconds and the largest resident set in MiB of a command."""
    begin = time.monotonic()
    with open(os.devnull, "w") as nothing:
        child = subprocess.Popen([str(part) for part in command], stdout=nothing, stderr=nothing)
        _, status, used = os.wait4(child.pid, 0)
    wall = time.monotonic() - begin
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {os.waitstatus_to_exitcode(status)}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def size(folder):
    """Bytes of all files below."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def lines(path):
    """How many."""
    with open(path, "rb") as file:
        return sum(1 for _ in file)


def small(args, top):
    """A table by the number of traces; seconds of the processor and bytes a trace of the largest fleet."""
    print(f"{'traces':>7} {'failed':>6} {'wall s':>7} {'per s':>6} {'cpu ms':>7} {'MiB':>5} {'again s':>8} "
          f"{'report s':>9} {'MiB':>5} {'baseline s':>11} {'in KiB':>7} {'out KiB':>8}")
    cpu_each = out_each = 0.0
    for traces in [args.traces // 10, args.traces // 4, args.traces // 2, args.traces]:
        fleet, out = top / f"in-{traces}", top / f"out-{traces}"
        subprocess.run([args.fixtures, "--fleet", str(traces), fleet], check=True, stdout=subprocess.DEVNULL)
        take = [args.binary, "fleet", fleet, "-o", out, *args.more]
        wall, cpu, memory = run(take)
        again, _, _ = run(take)
        report, _, report_memory = run([args.binary, "fleet", "report", out, "-f", "json", *args.more])
        both, _, _ = run([args.binary, "fleet", "report", out, "--baseline", out, "-f", "json", *args.more])
        failed = lines(out / "errors.jsonl")
        cpu_each, out_each = cpu / traces, size(out) / traces
        print(f"{traces:>7} {failed:>6} {wall:>7.2f} {traces / wall:>6.0f} {1000 * cpu_each:>7.1f} {memory:>5.0f} {again:>8.2f} "
              f"{report:>9.2f} {report_memory:>5.0f} {both:>11.2f} {size(fleet) / traces / 1024:>7.1f} {out_each / 1024:>8.1f}",
              flush=True)
        subprocess.run(["rm", "-r", fleet, out], check=True)
    return cpu_each, out_each


def real(args, top):
    """Seconds of the processor for each MiB of gzip, over real traces."""
    out = top / "out-real"
    wall, cpu, memory = run([args.binary, "fleet", args.real, "-o", out, *args.more])
    reports = lines(out / "runs.ndjson")
    mib = size(args.real) / 2**20
    print(f"\nreal: {reports} traces, {mib:.1f} MiB: {wall:.2f} s wall, {cpu:.2f} s of a core, "
          f"{mib / cpu:.1f} MiB/s a core, {memory:.0f} MiB resident")
    return mib / cpu, mib / reports


def main():
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("fixtures", type=Path, help="the example that generates fleets")
    parser.add_argument("--traces", type=int, default=5000)
    parser.add_argument("--real", type=Path, help="a folder of real traces")
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--cores", type=int, default=32, help="of a node")
    args, args.more = parser.parse_known_args()
    args.binary, args.fixtures = args.binary.resolve(), args.fixtures.resolve()
    print(f"{os.cpu_count()} cores, {args.binary}\n")
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        cpu_each, out_each = small(args, top)
        nodes, cores = args.nodes, args.cores
        fleet_cores = nodes * cores
        print(f"\n{nodes} nodes of {cores} cores, by these rates, if inputs come as fast as they are read:")
        print(f"  small traces: {fleet_cores} cores / {1000 * cpu_each:.1f} ms = {fleet_cores / cpu_each:,.0f} traces/s; "
              f"1,000,000 traces = {1e6 * cpu_each / fleet_cores:.1f} s, {1e6 * out_each / 2**30:.0f} GiB of results")
        if args.real:
            rate, each = real(args, top)
            seconds = each / rate
            traces = 2000 * 8
            print(f"  traces of {each:.2f} MiB: {each:.2f} MiB / {rate:.1f} MiB/s = {seconds:.2f} s of a core each; "
                  f"{fleet_cores} cores / {seconds:.2f} s = {fleet_cores / seconds:,.0f} traces/s")
            print(f"  a night of 2,000 servers with 8 ranks: {traces:,} traces * {seconds:.2f} s / {fleet_cores} cores = "
                  f"{traces * seconds / fleet_cores:.1f} s; one core: {traces * seconds / 3600:.1f} h")
            print(f"  network: {fleet_cores} cores * {rate:.1f} MiB/s = {fleet_cores * rate / 1024:.1f} GiB/s in all, "
                  f"{cores * rate * 8 / 1024:.1f} Gibit/s a node")


if __name__ == "__main__":
    main()
