#!/usr/bin/env python3
"""A Ray cluster of two nodes on this machine loses one of them in the middle of a job: every input is there once.

`ray_cluster.py [INPUTS]`, in an environment that has ray[data]; minutes. Everything it starts it ends, by its id.
"""

import collections
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
HEAD, SECOND = "head", "second"
WAIT = 180


def say(*words):
    print(f"{time.monotonic() - BEGAN:6.1f} s ", *words, flush=True)


def fleet(folder, count):
    """Traces by node and day, and what is none."""
    traces = sorted(FIXTURES.glob("*-tp2-*.trace.json.gz"))
    good, bad = set(), set()
    for n in range(count):
        path = folder / f"node{n % 40:03}/2026-11-{10 + n % 7}/{n:04}.trace.json.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        if n % 20 == 7:
            path.write_bytes([b"", b"hello", b'{"a": 1}', b"\x1f\x8b\x08no gzip"][n // 20 % 4])
            bad.add(str(path))
        else:
            shutil.copyfile(traces[n % len(traces)], path)
            good.add(str(path))
    (folder / "node000/server_args.json").write_text("{}")
    return good, bad


def program(folder):
    """The program, slow enough to be killed, which writes down where it worked on what."""
    script = folder / "llm-prof"
    script.write_text(
        '#!/bin/sh\n[ "$1" = triage ] || exec "$REAL" "$@"\n'
        'for last; do :; done\necho "$PROOF_NODE begins $last" >>"$PROOF_LOG"\nsleep 0.3\n"$REAL" "$@"\ncode=$?\n'
        'echo "$PROOF_NODE ended $last" >>"$PROOF_LOG"\nexit $code\n'
    )
    script.chmod(0o755)
    return script


def descendants(pid):
    """Of a process, itself first."""
    children = collections.defaultdict(list)
    for line in subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout.splitlines():
        child, parent = map(int, line.split())
        children[parent].append(child)
    found = [pid]
    for one in found:
        found += children[one]
    return found


def end(process):
    if process is None:
        return 0
    pids = descendants(process.pid)
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()
    return len(pids)


def node(name, folder, *arguments):
    environment = {**os.environ, "PROOF_NODE": name}
    log = open(folder / f"{name}.log", "wb")
    command = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--num-cpus=2", "--disable-usage-stats"]
    command += ["--object-store-memory=100000000", "--memory=4000000000", *arguments]
    return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)


def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 240
    import llm_prof

    folder = Path(tempfile.mkdtemp(prefix="llm-prof-ray-"))
    log = folder / "work.log"
    log.touch()
    # Workers are nice by default, so that on a busy machine they would hardly run.
    os.environ.update(REAL=llm_prof.binary(), PROOF_LOG=str(log), RAY_worker_niceness="0")
    # Of this cluster alone; whoever is on this machine has no business in it.
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    os.environ["LLM_PROF_BINARY"] = str(program(folder))
    llm_prof.binary.cache_clear()
    good, bad = fleet(folder / "fleet", count)
    version = subprocess.run([os.environ["REAL"], "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    say(f"{len(good)} traces and {len(bad)} files that are none, in {folder / 'fleet'}; {version}")
    head = second = None
    try:
        address = f"127.0.0.1:{port()}"
        at = ["--node-ip-address=127.0.0.1", f"--port={address.split(':')[1]}", "--include-dashboard=false"]
        head = node(HEAD, folder, "--head", *at)
        import ray
        import ray.data

        def attached():
            try:
                ray.init(address=address, log_to_driver=False, logging_level="ERROR")
                return True
            except Exception:
                return False

        until(attached, "the head node", 2)
        second = node(SECOND, folder, f"--address={address}", "--node-ip-address=127.0.0.1")
        until(lambda: alive(ray) == 2, "the second node")
        say(f"Ray {ray.__version__}: {alive(ray)} nodes, {int(ray.cluster_resources()['CPU'])} CPUs")
        ray.data.DataContext.get_current().enable_progress_bars = False

        failed = []

        def kill():
            try:
                until(lambda: ended(log)[SECOND] >= count // 8 and running(log), "work on the second node")
                say(f"killing the second node: {dict(ended(log))} traces done, {running(log)} under way there")
                say(f"{end(second)} processes of it killed")
            except Exception as error:
                failed.append(error)

        killer = threading.Thread(target=kill)
        killer.start()
        from llm_prof.ray import triage_dataset

        done = triage_dataset(folder / "fleet", folder / "out", traces_per_task=2)
        killer.join()
        if failed:
            raise failed[0]
        say(f"{done}; {alive(ray)} node is alive")
        check(folder, good, bad, done, log)
        again = triage_dataset(folder / "fleet", folder / "out", resume=True)
        assert (again.traces, again.errors, again.skipped) == (0, 0, count), again
        say(f"asked again: {again.skipped} skipped")
        ray.shutdown()
        print("1 passed, 0 failed")
    finally:
        end(second)
        end(head)
        shutil.rmtree(folder)


def check(folder, good, bad, done, log):
    import pyarrow.dataset as dataset

    def table(name):
        return dataset.dataset(folder / "out" / name, partitioning="hive").to_table()

    begun = collections.Counter(trace for _, word, trace in lines(log) if word == "begins")
    twice = [trace for trace, times in begun.items() if times > 1]
    where = collections.Counter(node for node, word, _ in lines(log) if word == "ended")
    say(f"triage ran {sum(begun.values())} times for {len(begun)} inputs, {len(twice)} were done again; {dict(where)}")
    assert twice, "nothing was under way or lost when the node died: the test shows nothing"
    once = collections.Counter(table("inputs")["trace"].to_pylist())
    assert set(once) == good | bad and set(once.values()) == {1}, "every input once"
    assert sorted(table("errors")["trace"].to_pylist()) == sorted(bad)
    assert sorted(table("runs")["trace"].to_pylist()) == sorted(good)
    assert (done.traces, done.errors, done.skipped) == (len(good), len(bad), 0)
    say(f"inputs: {len(once)}, each once; runs: {len(good)}; errors: {len(bad)}")
    # What the program says of each, row for row.
    fixture_of = collections.defaultdict(list)
    for trace in good:
        fixture_of[Path(trace).read_bytes()].append(trace)
    expected = collections.Counter()
    for traces in fixture_of.values():
        report = printed("triage", "-f", "json", traces[0])
        for row in map(json.loads, printed("fleet", "tables", "-", given=report).splitlines()):
            if row["table"] != "runs":
                what = (row["stage"], str(row.get("id", row.get("n"))))
                expected.update((row["table"], trace, *what) for trace in traces)
    got = collections.Counter()
    for name, key in [("steps", "n"), ("kernels", "id"), ("findings", "id"), ("overlap", "id")]:
        for row in table(name).select(["trace", "stage", key]).to_pylist():
            got[name, row["trace"], row["stage"], str(row[key])] += 1
    assert got == expected, f"{len(got)} rows, expected {len(expected)}"
    of = collections.Counter(name for name, *_ in got.elements())
    say(f"rows as the program prints them, each once: {dict(of)}")


def printed(*arguments, given=None):
    return subprocess.run([os.environ["REAL"], *arguments], input=given, capture_output=True, check=True).stdout


def lines(log):
    """Node, word, trace; what the driver runs has no node."""
    found = [line.split(" ", 2) for line in log.read_text().splitlines()]
    return [tuple(parts) for parts in found if len(parts) == 3 and parts[0]]


def ended(log):
    return collections.Counter(node for node, word, _ in lines(log) if word == "ended")


def running(log):
    """Traces that the second node is at."""
    return sum(1 for node, word, _ in lines(log) if (node, word) == (SECOND, "begins")) - ended(log)[SECOND]


def alive(ray):
    return sum(node["Alive"] for node in ray.nodes())


def until(true, what, every=0.1):
    limit = time.monotonic() + WAIT
    while not true():
        if time.monotonic() > limit:
            raise TimeoutError(f"{what}: not within {WAIT} s")
        time.sleep(every)


if __name__ == "__main__":
    BEGAN = time.monotonic()
    main()
