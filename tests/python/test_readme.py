"""The Python of the README runs."""

import re

from conftest import ROOT


def test_blocks_of_python_run_in_turn(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    assert len(blocks) == 2
    names = {}
    for block in blocks:
        exec(block, names)
    printed = capsys.readouterr().out
    assert "vllm/allreduce-rmsnorm 904." in printed and "at_stake_us" in printed


def test_options_of_the_job_are_those_that_it_has():
    text = (ROOT / "README.md").read_text()
    job = (ROOT / "src/python/jobs/fleet_job.py").read_text()
    for option in re.findall(r"python fleet_job.py .*?(--[a-z-]+)", text):
        assert f'"{option}"' in job
    for query in re.findall(r"catalogs/queries/(\w+\.sql)", text):
        assert (ROOT / "catalogs/queries" / query).exists()
