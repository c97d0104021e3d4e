"""The traces of a fleet, on a Ray cluster: Parquet out of them, for any engine that reads it.

`triage_dataset` reads local paths and object storage (`s3://`, `gs://`, whatever pyarrow opens), triages every trace in
a Ray task that asks for the memory it needs, and writes the tables of `llm-prof fleet tables`:

    OUTPUT/runs/day=2026-11-24/model=Qwen%2FQwen3-8B/*.parquet    one row a report; likewise steps, kernels, findings,
                                                                  overlap
    OUTPUT/errors/*.parquet                                       inputs that cannot be read, with the reason
    OUTPUT/inputs/*.parquet                                       every input exactly once, and whether it could be read

What a worker or a node that dies was doing, Ray does again. Tasks name their files by their number, so a task that is
done twice writes the same files; the files of `inputs` come last, and what has none there was not finished.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import posixpath
import subprocess
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet
import ray.data
from pyarrow import fs
from ray.data import Datasink

from . import _errors, _program, _tables, inputs
from ._program import Option, PathLike
from .columns import TABLES

BESIDE = ("server_args.json", "capture.json", *(f"{folder}/*" for folder in inputs.CAPTURE_FOLDERS))
"""What is fetched with a trace that is not on a disk: looked for in its folder and one up."""

_MB = 1_000_000
# Of a Python worker and its libraries, beside the program.
_WORKER = 200 * _MB
_TEXT: pa.DataType = pa.string()
_NUMBER: pa.DataType = pa.int64()
_OF_INPUT = pa.schema(
    [("trace", _TEXT), ("bytes", _NUMBER), ("error", _TEXT), ("exit_code", _NUMBER), ("reason", _TEXT)]
)


@dataclass(frozen=True)
class Triaged:
    """What a job did. Every input is in one of the three counts."""

    output: str
    """Where the tables are."""

    traces: int
    """Traces with a report."""

    errors: int
    """Inputs in the error table."""

    skipped: int
    """Inputs that were done before (`resume`)."""


def triage_dataset(
    uris: str | PathLike | Iterable[str | PathLike],
    output: str | PathLike,
    *,
    filesystem: fs.FileSystem | None = None,
    output_filesystem: fs.FileSystem | None = None,
    resume: bool = False,
    beside: Sequence[str] = BESIDE,
    traces_per_task: int = 4,
    memory: int | None = None,
    timeout: float | None = None,
    **options: Option,
) -> Triaged:
    """Triages every trace and writes the tables under `output`.

    `uris` are files, folders and globs, local or of any file system that pyarrow opens by its URI; `filesystem` opens
    them otherwise. Local paths must be there on every node; anything else is fetched by the task that reads it, with
    what lies `beside` it. `memory` is what a task asks for in bytes, in place of what the size of its traces says;
    `timeout` is in seconds a trace. The other options are flags of `llm-prof triage`.

    An input that cannot be read is a row of `errors` and stops nothing; which input a worker or a node was lost with is
    of no matter, Ray does it again. Wrong options and rules are told before anything begins (UsageError, RulesError).
    `output` must be new (FileExistsError); with `resume` what is done there already, errors too, is left as it is and
    the rest is done: no other job may be at work there.
    """
    try:
        _program.triage_json(b"", options)
    except _errors.InputError:
        pass  # It has read its options and rules, and no trace.
    given = [uris] if isinstance(uris, (str, os.PathLike)) else list(uris)
    found = _expand([os.fspath(uri) for uri in given], filesystem)
    where, base = _opened(os.fspath(output), output_filesystem)
    sink = _Tables(where, base, _shown(os.fspath(output)))
    done = sink.begin(resume)
    rest = [row for row in found if _shown(row["trace"]) not in done]
    if rest:
        # Ray asks for the same memory for all tasks of a step: a step for each power of two.
        classes: dict[int, list[dict[str, Any]]] = {}
        for row in rest:
            need = _rounded(_memory(row["trace"], row["bytes"])) if memory is None else memory
            classes.setdefault(need, []).append(row)
        steps = [
            _step(rows, _at_most(need), filesystem, beside, traces_per_task, timeout, options)
            for need, rows in sorted(classes.items())
        ]
        together = steps[0].union(*steps[1:]) if len(steps) > 1 else steps[0]
        together.write_datasink(sink)
        sink.account([_shown(row["trace"]) for row in rest])
    return Triaged(_shown(os.fspath(output)), sink.traces, sink.errors, len(found) - len(rest))


def _step(
    rows: list[dict[str, Any]],
    need: int,
    filesystem: fs.FileSystem | None,
    beside: Sequence[str],
    traces_per_task: int,
    timeout: float | None,
    options: dict[str, Option],
) -> ray.data.Dataset:
    def one(row: dict[str, Any]) -> dict[str, Any]:
        return _triaged(row, filesystem, beside, timeout, options)

    tasks = -(-len(rows) // traces_per_task)
    return ray.data.from_items(rows, override_num_blocks=tasks).map(one, num_cpus=1, memory=need)


def _memory(trace: str, size: int | None) -> int:
    """Bytes that a task needs for a trace of this size."""
    of_byte = inputs.MEMORY_OF_JSON * (1 if trace.endswith(".json") else inputs.RATIO)
    return _WORKER + inputs.MEMORY_BASE + int(of_byte * (size or 0))


def _rounded(need: int) -> int:
    rounded = 256 * _MB
    while rounded < need:
        rounded *= 2
    return rounded


def _at_most(need: int) -> int:
    """No more than the largest node has: a task that fits nowhere would wait for ever."""
    nodes = ray.nodes()  # type: ignore[no-untyped-call]
    largest = max((node["Resources"].get("memory", 0) for node in nodes if node["Alive"]), default=0)
    return int(min(need, largest)) if largest else need


# -- inputs ------------------------------------------------------------------------------------------------------------


def _opened(uri: str, filesystem: fs.FileSystem | None) -> tuple[fs.FileSystem, str]:
    if filesystem is not None:
        return filesystem, uri.partition("://")[2] or uri
    if "://" in uri:
        opened: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(uri)
        return opened
    return fs.LocalFileSystem(), os.path.abspath(uri)


def _shown(uri: str) -> str:
    """A URI without options of the storage and without keys, neither of which is to stand in a table."""
    if "://" not in uri:
        return uri
    scheme, _, rest = uri.partition("?")[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _expand(uris: list[str], filesystem: fs.FileSystem | None) -> list[dict[str, Any]]:
    """Every file once, by name: what is there of folders and globs, and what was named whether it is there or not."""
    rows: dict[str, int | None] = {}
    for uri in uris:
        if "://" not in uri and filesystem is None:
            for one in glob.glob(uri, recursive=True) if glob.has_magic(uri) and not os.path.exists(uri) else [uri]:
                rows.update(_below(fs.LocalFileSystem(), os.path.abspath(one), ""))
            continue
        # Options of the storage stand behind a question mark.
        name, _, query = uri.partition("?") if "://" in uri else (uri, "", "")
        opened, path = _opened(uri, filesystem)
        prefix = name[: len(name) - len(path)] if name.endswith(path) else ""
        if glob.has_magic(path):
            fixed = path[: min(path.find(letter) for letter in "*?[" if letter in path)].rpartition("/")[0]
            files = opened.get_file_info(fs.FileSelector(fixed, recursive=True, allow_not_found=True))
            matches = [file for file in files if file.is_file and _of_glob(file.path, path)]
            found: dict[str, int | None] = {prefix + file.path: file.size for file in matches}
        else:
            found = _below(opened, path.rstrip("/"), prefix)
        rows.update({f"{trace}?{query}" if query else trace: size for trace, size in found.items()})
    return [{"trace": trace, "bytes": size} for trace, size in sorted(rows.items())]


def _below(filesystem: fs.FileSystem, path: str, prefix: str) -> dict[str, int | None]:
    info = filesystem.get_file_info(path)
    if info.type != fs.FileType.Directory:
        return {prefix + path: info.size if info.is_file else None}
    folders: dict[str, dict[str, int | None]] = {}
    for file in filesystem.get_file_info(fs.FileSelector(path, recursive=True)):
        inside = file.path[len(path) :].split("/")[:-1]
        if file.is_file and _is_trace(file.base_name) and not set(inside) & set(inputs.CAPTURE_FOLDERS):
            folders.setdefault(posixpath.dirname(file.path), {})[file.path] = file.size
    found: dict[str, int | None] = {}
    for files in folders.values():
        of_ranks = {file: size for file, size in files.items() if not _matches(file, inputs.MERGED)}
        found.update({prefix + file: size for file, size in (of_ranks or files).items()})
    return found


def _of_glob(path: str, pattern: str) -> bool:
    """As on a disk: a star does not reach into folders, two do."""
    return fnmatch.fnmatchcase(path, pattern) and ("**" in pattern or path.count("/") == pattern.count("/"))


def _is_trace(name: str) -> bool:
    return _matches(name, inputs.CANDIDATES) and not _matches(name, inputs.IGNORED)


def _matches(path: str, globs: Sequence[str]) -> bool:
    name = posixpath.basename(path).lower()
    return any(fnmatch.fnmatchcase(name, one.lower()) for one in globs)


@contextmanager
def _on_disk(
    trace: str, filesystem: fs.FileSystem | None, beside: Sequence[str]
) -> Iterator[tuple[str, str | None]]:
    """The trace as a path from a folder. What is fetched lies below that folder as its URI says, so that a report names
    the URI."""
    if "://" not in trace and filesystem is None:
        yield trace, None
        return
    name = _shown(trace) if "://" in trace else trace.lstrip("/")
    opened, path = _opened(trace, filesystem)
    with tempfile.TemporaryDirectory(prefix="llm-prof-") as folder:
        _fetch(opened, path, Path(folder, name))
        own = posixpath.dirname(path)
        for up, local in ((own, Path(folder, name).parent), (posixpath.dirname(own), Path(folder, name).parent.parent)):
            for pattern in beside if up else ():
                _fetch_all(opened, up, pattern, local)
        yield name, folder


def _fetch_all(filesystem: fs.FileSystem, folder: str, pattern: str, local: Path) -> None:
    """The files of a folder, or of one in it, by name or glob."""
    below, _, name = pattern.rpartition("/")
    there = posixpath.join(folder, below) if below else folder
    if glob.has_magic(name):
        files = filesystem.get_file_info(fs.FileSelector(there, allow_not_found=True))
    else:
        files = [filesystem.get_file_info(posixpath.join(there, name))]
    for file in files:
        if file.is_file and fnmatch.fnmatch(file.base_name, name):
            _fetch(filesystem, file.path, local / below / file.base_name)


def _fetch(filesystem: fs.FileSystem, path: str, local: Path) -> None:
    local.parent.mkdir(parents=True, exist_ok=True)
    # As it is: pyarrow would unpack what ends with .gz.
    with filesystem.open_input_stream(path, compression=None) as source, open(local, "wb") as target:
        while chunk := source.read(1 << 22):
            target.write(chunk)


def _triaged(
    row: dict[str, Any],
    filesystem: fs.FileSystem | None,
    beside: Sequence[str],
    timeout: float | None,
    options: dict[str, Option],
) -> dict[str, Any]:
    """The rows of a trace as NDJSON, or why there are none."""
    _program.binary()  # Without a program no trace is at fault.
    lines, failure = b"", cast("Exception | None", None)
    try:
        with _on_disk(row["trace"], filesystem, beside) as (path, folder):
            report, _ = _program.triage_json(path, {"threads": 1, "quiet": True, **options}, cwd=folder, timeout=timeout)
            lines, _ = _program.call(["fleet", "tables", "-"], [report])
    except (_errors.UsageError, _errors.RulesError):
        raise  # Of the job, not of this trace.
    except (_errors.LlmProfError, OSError, subprocess.TimeoutExpired) as caught:
        failure = caught
    return {
        "trace": _shown(row["trace"]),
        "bytes": row["bytes"],
        "lines": lines,
        "error": None if failure is None else type(failure).__name__,
        "exit_code": getattr(failure, "exit_code", None),
        "reason": None if failure is None else str(failure),
    }


# -- output ------------------------------------------------------------------------------------------------------------


class _Tables(Datasink[list[tuple[str, bool]]]):
    """Writes what tasks found. A file is named by the job and the task, so that a task done twice writes it again."""

    def __init__(self, filesystem: fs.FileSystem, base: str, shown: str) -> None:
        self.filesystem, self.base, self.shown = filesystem, base.rstrip("/"), shown
        self.job = uuid.uuid4().hex[:12]
        self.traces = self.errors = 0
        self.written: list[tuple[str, bool]] = []

    @property
    def min_rows_per_write(self) -> int | None:
        return 64

    def begin(self, resume: bool) -> set[str]:
        """The inputs that are done. What a job that did not come to its end left half is taken away."""
        there = {table: self._files(table) for table in (*TABLES, "errors", "inputs")}
        if not resume and any(there.values()):
            raise FileExistsError(f"{self.shown} has tables already: give a new folder, or resume=True to go on there")
        files = there.pop("inputs")
        done: set[str] = set()
        for path in files:
            with self.filesystem.open_input_file(path) as file:
                done.update(map(str, pyarrow.parquet.read_table(file, columns=["trace"])["trace"].to_pylist()))
        whole = {posixpath.basename(path).split(".")[0] for path in files}
        for path in (path for paths in there.values() for path in paths):
            if posixpath.basename(path).split(".")[0] not in whole:
                self.filesystem.delete_file(path)
        return done

    def _files(self, table: str) -> list[str]:
        selector = fs.FileSelector(f"{self.base}/{table}", recursive=True, allow_not_found=True)
        return [info.path for info in self.filesystem.get_file_info(selector) if info.path.endswith(".parquet")]

    def write(self, blocks: Iterable[Any], ctx: Any) -> list[tuple[str, bool]]:
        rows = [row for block in blocks for row in pa.table(block).to_pylist()]
        if not rows:
            return []
        # Of every task the same name in all tables; the number behind the dot is that of the part.
        name = f"{self.job}-{ctx.task_idx:06}.{{i}}.parquet"
        tables = _tables.arrow_tables(one for row in rows for one in _tables.lines(row["lines"]))
        _tables.write_parquet(tables, self.filesystem, self.base, name)
        kept = [{key: row[key] for key in _OF_INPUT.names} for row in rows]
        failed = [row for row in kept if row["error"] is not None]
        if failed:
            self._store("errors", failed, name)
        self._store("inputs", kept, name)
        return [(row["trace"], row["error"] is None) for row in kept]

    def _store(self, table: str, rows: list[dict[str, Any]], name: str) -> None:
        folder = f"{self.base}/{table}"
        self.filesystem.create_dir(folder, recursive=True)
        with self.filesystem.open_output_stream(f"{folder}/{name.format(i=0)}") as file:
            pyarrow.parquet.write_table(pa.Table.from_pylist(rows, schema=_OF_INPUT), file)

    def on_write_complete(self, write_result: Any) -> None:
        self.written = [one for some in write_result.write_returns for one in some]
        self.traces = sum(read for _, read in self.written)
        self.errors = len(self.written) - self.traces

    def account(self, wanted: list[str]) -> None:
        """Every input exactly once, or the job has failed."""
        names = sorted(trace for trace, _ in self.written)
        if names != sorted(wanted):
            missing, twice = sorted(set(wanted) - set(names)), len(names) - len(set(names))
            raise RuntimeError(f"{self.shown}: {len(missing)} inputs are missing {missing[:3]}, {twice} are there twice")
