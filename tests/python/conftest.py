"""What the tests share: fixtures, and a small fleet with what `llm-prof fleet` makes of it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import llm_prof

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/fixtures"
PREFILL = FIXTURES / "vllm-nvidia-tp2-prefill.trace.json.gz"


def run(*arguments):
    """What llm-prof prints."""
    return subprocess.run([llm_prof.binary(), *map(str, arguments)], capture_output=True, check=True).stdout


@pytest.fixture(scope="session")
def fleet(tmp_path_factory):
    """Folders of `llm-prof fleet`: `now`, and `before`, when other servers ran and one was slower."""
    home = tmp_path_factory.mktemp("fleet")
    program = os.environ.get("TEST_FIXTURES")
    generate = [program] if program else ["cargo", "run", "--quiet", "--locked", "--example", "fixtures", "--"]
    subprocess.run([*generate, "--fleet", "240", home / "traces"], cwd=ROOT, check=True)
    # Of two families that share launches.
    for node in (901, 902):
        (home / f"traces/node{node}").mkdir(parents=True)
        shutil.copy(FIXTURES / "sglang-amd-prefill.trace.json.gz", home / f"traces/node{node}")
    traces = sorted(path for path in (home / "traces").rglob("*") if path.is_file())
    assert len(traces) >= 200
    run("fleet", "--quiet", "--no-progress", home / "traces", "-o", home / "now")
    # Of the servers every third is not there yet.
    servers = sorted({row["server"] for row in rows(home / "now", "runs")})
    early = {row["trace"] for row in rows(home / "now", "runs") if servers.index(row["server"]) % 3}
    listed = home / "early.txt"
    listed.write_text("\n".join(sorted(early)))
    run("fleet", "--quiet", "--no-progress", "--exclude", "sglang/residual-*", f"@{listed}", "-o", home / "before")
    return home


def rows(folder, table):
    """The lines of a table."""
    return [json.loads(line) for line in (folder / f"{table}.ndjson").read_text().splitlines()]
