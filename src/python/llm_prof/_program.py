"""Runs the program: arguments in, JSON out."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sysconfig
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Union

from . import _decode, _errors
from .report import Report

PathLike = Union[str, "os.PathLike[str]"]
Option = Union[str, int, float, bool, "os.PathLike[str]", Sequence[Union[str, int, "os.PathLike[str]"]], None]

_CHUNK = 1 << 20


@functools.cache
def binary() -> str:
    """The program that the package brought, else the one in the path.

    `LLM_PROF_BINARY` names another.

    Raises FileNotFoundError where there is none.
    """
    named = os.environ.get("LLM_PROF_BINARY")
    if named:
        return named
    name = "llm-prof" + (sysconfig.get_config_var("EXE") or "")
    schemes = ["", f"{os.name}_user"]
    for scheme in schemes:
        folder = sysconfig.get_path("scripts", scheme) if scheme else sysconfig.get_path("scripts")
        if os.access(os.path.join(folder, name), os.X_OK):
            return os.path.join(folder, name)
    # Installed with --target or --prefix: bin/ lies beside or above the package.
    for above in list(Path(__file__).parents)[1:5]:
        if os.access(above / "bin" / name, os.X_OK):
            return str(above / "bin" / name)
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError("no program llm-prof: pip install llm-prof brings it")
    return found


def _flags(options: dict[str, Option]) -> Iterator[str]:
    """`max_memory="2G"` as `--max-memory 2G`, True as a flag alone, a list as a flag for each."""
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            yield flag
        elif value is None or value is False:
            continue
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for one in value:
                yield f"{flag}={os.fspath(one) if isinstance(one, os.PathLike) else one}"
        else:
            yield f"{flag}={os.fspath(value) if isinstance(value, os.PathLike) else value}"


class _Feeder(threading.Thread):
    """Writes to the program's standard input. What goes wrong on the way is kept: half an input is no input."""

    def __init__(self, chunks: Iterable[bytes], pipe: int, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self.chunks, self.pipe, self.process = chunks, pipe, process
        self.failure: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            with open(self.pipe, "wb") as pipe:
                for chunk in self.chunks:
                    pipe.write(chunk)
        except BrokenPipeError:
            pass  # It has read enough; its exit code tells.
        except BaseException as failure:
            self.failure = failure
            self.process.kill()


def call(
    arguments: Sequence[str],
    given: Iterable[bytes] | None = None,
    *,
    cwd: PathLike | None = None,
    timeout: float | None = None,
) -> tuple[bytes, str]:
    """What the program printed, and what it said beside; raises what its exit code means."""
    command = [binary(), *arguments]
    reading, writing = os.pipe() if given is not None else (None, None)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if reading is None else reading,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
        )
    except BaseException:
        if writing is not None:
            os.close(writing)
        raise
    finally:
        if reading is not None:
            os.close(reading)
    with process:
        feeder = None if given is None or writing is None else _Feeder(given, writing, process)
        try:
            printed, said = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
        if feeder is not None:
            feeder.join()
            if feeder.failure is not None:
                raise feeder.failure
    text = said.decode(errors="replace")
    if process.returncode != 0:
        raise _errors.of(process.returncode, text)
    return printed, text


def _chunks(trace: bytes | BinaryIO) -> Iterator[bytes]:
    if isinstance(trace, (bytes, bytearray, memoryview)):
        yield trace
        return
    while chunk := trace.read(_CHUNK):
        if not isinstance(chunk, bytes):
            raise TypeError(f"a trace is read in binary: open the file with mode 'rb' ({trace!r})")
        yield chunk


def triage_json(
    trace: PathLike | bytes | BinaryIO | Sequence[PathLike],
    options: dict[str, Option],
    *,
    timeout: float | None = None,
    cwd: PathLike | None = None,
) -> tuple[bytes, str]:
    """The report as JSON, and what was said beside it."""
    for own in ("format", "output"):
        if own in options:
            raise TypeError(f"triage() has no option {own!r}: the result is a Report")
    arguments = ["triage", "--format=json", *_flags(options)]
    if isinstance(trace, (bytes, bytearray, memoryview)) or hasattr(trace, "read"):
        return call([*arguments, "-"], _chunks(trace), cwd=cwd, timeout=timeout)  # type: ignore[arg-type]
    paths = [trace] if isinstance(trace, (str, os.PathLike)) else list(trace)
    return call([*arguments, "--", *(os.fspath(path) for path in paths)], cwd=cwd, timeout=timeout)


def triage(
    trace: PathLike | bytes | BinaryIO | Sequence[PathLike], *, timeout: float | None = None, **options: Option
) -> Report:
    """The report of a trace: a path (file, folder, glob; several as a list), its bytes, or a file opened in binary.

    Options are the flags of `llm-prof triage` without their dashes: `stage="decode"`, `rank="all"`, `max_memory="2G"`,
    `timeline=True`, `include=["vllm/*", "sglang/*"]`. The program's environment variables and llm-prof.toml count too.

    What the program says beside the result is warned of (`LlmProfWarning`). Raises InputError, RulesError, UsageError,
    UnfitError by what went wrong, subprocess.TimeoutExpired after `timeout` seconds.
    """
    printed, said = triage_json(trace, options, timeout=timeout)
    if said.strip():
        warnings.warn(said.strip(), _errors.LlmProfWarning, stacklevel=2)
    return parse(printed)


def read_report(path: PathLike) -> Report:
    """The report in a file that `llm-prof triage --format json` wrote."""
    text = Path(path).read_bytes()
    try:
        return parse(text)
    except ValueError as error:
        raise _errors.InputError(f"{os.fspath(path)}: {error}", 3) from error


def parse(text: bytes) -> Report:
    """A report out of its JSON; ValueError when it is none."""
    document = json.loads(text)
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(schema, str) or schema.split("/")[0] != "llm-prof.triage":
        raise ValueError("no report: expected JSON that `llm-prof triage --format json` wrote")
    if schema != "llm-prof.triage/1":
        raise ValueError(f"a report of another version: {schema}, expected llm-prof.triage/1")
    try:
        return _decode.decode(Report, document)
    except (TypeError, KeyError) as error:
        raise ValueError(f"a report that lacks something: {error}") from error
