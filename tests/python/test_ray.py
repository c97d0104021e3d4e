"""What `llm_prof.ray` does on one machine; the proof on a cluster is ray_cluster.py."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

import llm_prof
from conftest import PREFILL, ROOT

# Workers are nice by default, so that on a busy machine they would hardly run.
os.environ.setdefault("RAY_worker_niceness", "0")
ray = pytest.importorskip("ray")
dataset = pytest.importorskip("pyarrow.dataset")
fs = pytest.importorskip("pyarrow.fs")
from llm_prof import ray as on_ray  # noqa: E402

@pytest.fixture(scope="module")
def cluster():
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


@pytest.fixture
def traces(tmp_path):
    """Two whole traces, one that is none, one in a folder of captures, and what lies beside."""
    home = tmp_path / "traces"
    for path in ("node1/a.trace.json.gz", "node2/b.trace.json.gz", "node2/capture_traces/c.trace.json.gz"):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PREFILL, home / path)
    (home / "node2/merged-b.trace.json.gz").write_bytes(b"of all ranks")
    (home / "node1/broken.trace.json").write_text("hello")
    (home / "node1/server_args.json").write_text('{"model_path": "/models/of-the-arguments", "tp_size": 2}')
    return home


def table(output, name):
    return dataset.dataset(output / name, partitioning="hive").to_table()


def test_a_folder_is_its_traces_and_what_is_named_is_itself(traces):
    found = [row["trace"] for row in on_ray._expand([str(traces), str(traces / "nowhere.json")], None)]
    names = ["node1/a.trace.json.gz", "node1/broken.trace.json", "node2/b.trace.json.gz", "nowhere.json"]
    assert found == [str(traces / name) for name in names]
    by_uri = [row["trace"] for row in on_ray._expand([f"file://{traces}", f"file://{traces}/node2/*.gz"], None)]
    # A glob takes what it matches.
    assert by_uri == [f"file://{traces}/{name}" for name in [*names[:3], "node2/merged-b.trace.json.gz"]]
    node1 = str(traces / "node1")
    assert on_ray._expand([f"{traces}/*/a*", node1], None) == on_ray._expand([node1], None)


def test_memory_grows_with_the_trace_and_fits_the_largest_node():
    small, large = (on_ray._memory("a.trace.json.gz", size) for size in (10_000, 500_000_000))
    assert 240e6 < small < 256e6 and large == 240_000_000 + 500_000_000 * 12 * 4 // 10
    assert on_ray._memory("a.trace.json", 500_000_000) < large
    assert on_ray._rounded(small) == 256_000_000 and on_ray._rounded(257_000_000) == 512_000_000


def test_traces_become_tables_and_what_is_none_an_error(cluster, traces, tmp_path):
    output = tmp_path / "out"
    done = on_ray.triage_dataset(traces, output, traces_per_task=1)
    assert done == on_ray.Triaged(str(output), 2, 1, 0)
    runs = table(output, "runs").to_pylist()
    assert sorted(run["host"] for run in runs) == ["node1", "node2"]
    assert len(list((output / "findings").rglob("*.parquet"))) >= 1
    (error,) = table(output, "errors").to_pylist()
    assert error["trace"].endswith("broken.trace.json") and error["error"] == "InputError" and error["exit_code"] == 3
    reports = [llm_prof.triage(run["trace"]) for run in sorted(runs, key=lambda run: run["trace"])]
    expected = llm_prof.to_arrow(reports)["kernels"].to_pylist()
    got = table(output, "kernels").drop_columns(["day", "model"]).to_pylist()
    key = lambda row: (row["trace"], row["id"])  # noqa: E731
    assert sorted(got, key=key) == sorted(expected, key=key) != []
    # Again: nothing is done twice, and nothing by mistake.
    with pytest.raises(FileExistsError, match="resume"):
        on_ray.triage_dataset(traces, output)
    shutil.copyfile(PREFILL, traces / "node1/new.trace.json.gz")
    # Of a job that was killed.
    (output / "runs/half-000000.0.parquet").write_bytes(b"half")
    assert on_ray.triage_dataset(traces, output, resume=True) == on_ray.Triaged(str(output), 1, 0, 3)
    assert table(output, "runs").num_rows == 3 and table(output, "inputs").num_rows == 4


def test_what_is_fetched_is_named_by_its_uri_and_has_what_lies_beside(cluster, traces, tmp_path):
    output = tmp_path / "out"
    uri = f"file://{traces}/node1/a.trace.json.gz"
    on_ray.triage_dataset(uri, output)
    (run,) = table(output, "runs").to_pylist()
    local = llm_prof.triage(traces / "node1/a.trace.json.gz")
    assert run["trace"] == uri and run["host"] == "node1"
    assert json.loads(run["server_args"]) == {key: value for key, value in local.server_args.fields.items()}


def test_options_and_rules_that_are_wrong_stop_the_job_before_it_begins(traces, tmp_path):
    with pytest.raises(llm_prof.UsageError, match="colour"):
        on_ray.triage_dataset(traces, tmp_path / "out", colour="red")
    with pytest.raises(llm_prof.RulesError):
        on_ray.triage_dataset(traces, tmp_path / "out", rules=tmp_path)
    assert not (tmp_path / "out").exists()


def test_what_another_job_has_begun_is_not_touched(traces, tmp_path):
    half = tmp_path / "out/runs/day=2026-11-24/other-000000.0.parquet"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    with pytest.raises(FileExistsError):
        on_ray.triage_dataset(traces, tmp_path / "out")
    assert half.read_bytes() == b"half"


def test_the_job_of_the_example_runs(traces, tmp_path):
    job = [sys.executable, ROOT / "src/python/jobs/fleet_job.py", traces, tmp_path / "out"]
    alone = {**os.environ, "RAY_ADDRESS": "local"}
    done = subprocess.run(job, capture_output=True, text=True, check=True, env=alone, timeout=300)
    assert "2 traces, 1 inputs that cannot be read, 0 done before" in done.stdout


def test_object_storage_is_read_and_written(cluster, traces):
    pytest.importorskip("moto.server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=1)
                break
            except OSError:
                time.sleep(0.2)
            how = f"?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1&allow_bucket_creation=true"
        store, _ = fs.FileSystem.from_uri(f"s3://key:secret@fleet{how}")
        store.create_dir("fleet")
        fs.copy_files(str(traces), "fleet/in", destination_filesystem=store)
        done = on_ray.triage_dataset(f"s3://key:secret@fleet/in{how}", f"s3://key:secret@fleet/out{how}")
        assert done.output == "s3://fleet/out"
        assert (done.traces, done.errors) == (2, 1)
        runs = dataset.dataset("fleet/out/runs", filesystem=store, partitioning="hive").to_table().to_pylist()
        assert sorted(run["trace"] for run in runs) == [
            "s3://fleet/in/node1/a.trace.json.gz",
            "s3://fleet/in/node2/b.trace.json.gz",
        ]
    finally:
        server.kill()
        server.wait()
