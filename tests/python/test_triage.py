"""`llm_prof.triage` says what the program says, and its errors mean what the exit codes mean."""

import dataclasses
import io
import json
import subprocess
import typing

import pytest

import llm_prof
from llm_prof import columns, report
from conftest import FIXTURES, PREFILL, run


def printed(*arguments):
    return json.loads(run("triage", "-f", "json", *arguments))


def same(got, document):
    """Field by field, all the way down."""
    if dataclasses.is_dataclass(got):
        names = {field.name for field in dataclasses.fields(got)}
        assert set(document) <= names, f"{type(got).__name__} lacks {set(document) - names}"
        for name in names:
            same(getattr(got, name), document.get(name))
    elif isinstance(got, list):
        assert len(got) == len(document)
        for one, other in zip(got, document):
            same(one, other)
    else:
        assert got == document


@pytest.mark.parametrize("trace", sorted(FIXTURES.rglob("*.trace.json.gz")), ids=lambda path: path.name)
def test_a_report_is_what_the_program_prints_for_every_fixture(trace):
    try:
        got = llm_prof.triage(trace, quiet=True)
    except llm_prof.InputError:
        pytest.skip("a fixture that is no trace")
    same(got, printed(trace))


def test_all_ranks_timelines_and_typical_steps_are_read_too():
    got = llm_prof.triage(FIXTURES / "sglang-nvidia-tp2", rank="all", timeline=True, quiet=True)
    same(got, printed(FIXTURES / "sglang-nvidia-tp2", "--rank", "all", "--timeline"))
    assert got.ranks is not None and got.timelines and got.typical_steps


def test_a_path_bytes_and_an_open_file_give_the_same_rows():
    by_path = llm_prof.triage(PREFILL)
    with open(PREFILL, "rb") as file:
        by_file = llm_prof.triage(file)
    by_bytes = llm_prof.triage(PREFILL.read_bytes())
    by_list = llm_prof.triage([str(PREFILL)])
    assert by_path.fuse == by_file.fuse == by_bytes.fuse == by_list.fuse != []
    assert by_path.kernels == by_bytes.kernels
    assert [trace.path for trace in by_file.traces] == ["-"]


def test_options_are_the_flags_of_the_program():
    got = llm_prof.triage(PREFILL, min_share=5, include=["vllm/residual-*", "vllm/rope-*"], timeline=False, model=None)
    assert {row.family for row in got.fuse} == {"vllm/residual-rmsnorm", "vllm/rope-kv"}
    assert got.hidden_rows.min_share_pct == 5.0
    for option in ("format", "output"):
        with pytest.raises(TypeError, match=option):
            llm_prof.triage(PREFILL, **{option: "json"})


def test_a_path_that_looks_like_a_flag_is_a_path():
    with pytest.raises(llm_prof.InputError):
        llm_prof.triage("--version")


@pytest.mark.parametrize(
    ("trace", "options", "kind", "code", "says"),
    [
        ("nowhere.json", {}, llm_prof.InputError, 3, "nowhere.json"),
        (b"", {}, llm_prof.InputError, 3, ""),
        (b'{"a": 1}', {}, llm_prof.InputError, 3, ""),
        (PREFILL, {"colour": "red"}, llm_prof.UsageError, 2, "--colour"),
        (PREFILL, {"rules": "nowhere"}, llm_prof.RulesError, 4, "nowhere"),
    ],
)
def test_what_goes_wrong_is_an_exception_by_its_exit_code(trace, options, kind, code, says):
    with pytest.raises(kind) as caught:
        llm_prof.triage(trace, **options)
    assert isinstance(caught.value, llm_prof.LlmProfError)
    assert caught.value.exit_code == code and says in str(caught.value)
    assert not str(caught.value).startswith("error:")


def test_a_program_that_is_ended_is_an_interruption(monkeypatch, tmp_path):
    for name, script, kind, code in [
        ("killed", "kill -9 $$", llm_prof.Interrupted, -9),
        ("ended", "exit 143", llm_prof.Interrupted, 143),
        ("bug", "echo oh >&2; exit 101", llm_prof.InternalError, 101),
        ("unfit", "exit 5", llm_prof.UnfitError, 5),
        ("other", "exit 77", llm_prof.LlmProfError, 77),
    ]:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("LLM_PROF_BINARY", str(program))
        llm_prof.binary.cache_clear()
        with pytest.raises(llm_prof.LlmProfError) as caught:
            llm_prof.triage(PREFILL)
        assert type(caught.value) is kind and caught.value.exit_code == code
    monkeypatch.undo()
    llm_prof.binary.cache_clear()


def test_a_file_that_fails_on_the_way_is_no_trace_that_is_cut_off():
    class Broken(io.RawIOBase):
        chunks = [PREFILL.read_bytes()[:5000]]

        def read(self, size=-1):
            if self.chunks:
                return self.chunks.pop()
            raise ConnectionError("the network is gone")

    with pytest.raises(ConnectionError, match="the network is gone"):
        llm_prof.triage(Broken())


def test_a_file_opened_as_text_is_refused():
    with pytest.raises(TypeError, match="rb"):
        llm_prof.triage(io.StringIO("{}"))


def test_what_the_program_says_beside_is_a_warning():
    cut = PREFILL.read_bytes()[:-2000]
    with pytest.warns(llm_prof.LlmProfWarning):
        report = llm_prof.triage(cut)
    assert report.kernels


def test_reports_are_read_back(tmp_path):
    path = tmp_path / "report.json"
    subprocess.run([llm_prof.binary(), "triage", PREFILL, "-o", path], check=True)
    assert llm_prof.read_report(path) == llm_prof.triage(PREFILL)
    path.write_text('{"traceEvents": []}')
    with pytest.raises(llm_prof.InputError, match="no report"):
        llm_prof.read_report(path)
    path.write_text('{"schema": "llm-prof.triage/9"}')
    with pytest.raises(llm_prof.InputError, match="another version"):
        llm_prof.read_report(path)
    path.write_text('{"schema": "llm-prof.triage/1"}')
    with pytest.raises(llm_prof.InputError, match="lacks"):
        llm_prof.read_report(path)


def test_fields_of_a_newer_program_are_left():
    document = printed(PREFILL)
    document["invented"] = 1
    document["fuse"][0]["invented"] = {"a": []}
    from llm_prof._program import parse

    assert parse(json.dumps(document).encode()) == llm_prof.triage(PREFILL)


def test_every_annotation_resolves():
    for kind in vars(report).values():
        if dataclasses.is_dataclass(kind):
            typing.get_type_hints(kind)
    assert set(columns.TABLES) == {"runs", "steps", "kernels", "findings", "overlap"}
