"""Fills a folder with seeds, a folder a target: `seeds.py FOLDER`. They come from the fixtures, the rules and what lies
in `tests/fuzz/seeds`. Files have the names of their content, so running it again changes nothing."""

import gzip
import hashlib
import re
import sys
from pathlib import Path

FUZZ = Path(__file__).parent
ROOT = FUZZ.parent.parent
LARGEST = 64 << 10


def unpacked(path):
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def traces():
    """Fixtures, small ones whole and of large ones the first events."""
    for path in sorted((ROOT / "tests/fixtures").rglob("*.json*")):
        try:
            data = unpacked(path)
        except (EOFError, OSError):
            continue
        yield path, data


def names():
    seen = {}
    for _, data in traces():
        for name in re.findall(rb'"cat": ?"kernel", ?"name": ?"((?:[^"\\]|\\.)+)"', data):
            seen[name] = None
    listed = (ROOT / "src/kernel_name/tests/names.txt").read_bytes().splitlines()
    return list(seen) + [line for line in listed if line]


def yaml():
    return sorted(p for folder in ("rules", "catalogs") for p in (ROOT / folder).rglob("*.yaml"))


def expressions():
    key = re.compile(r"""^\s*(?:- )?(?:is|fused|split|after|before|overlap): (.+)$""", re.M)
    for path in yaml():
        for text in key.findall(path.read_text()):
            text = text.strip()
            if text[:1] == text[-1:] == "'" and len(text) > 1:
                text = text[1:-1].replace("''", "'")
            yield text.encode()


def without_tests(text):
    """A family with its first two tests: what is short is changed more often."""
    head, tests, rest = text.partition("\ntests:\n")
    return head + tests + "".join(re.split(r"(?m)^(?=  - )", rest)[:3])


def seeds():
    for path, data in traces():
        yield "trace", data[:LARGEST]
        yield "gzip", bytes([2, 99, 6, 30, 0]) + data[:LARGEST]
        if path.suffix == ".gz" and path.stat().st_size < LARGEST:
            yield "gzip", bytes([0, 0, 0, 0, 0]) + path.read_bytes()
            yield "gzip", bytes([1, 0, 0, 0, 0]) + path.read_bytes()[3:]
    every = names()
    for at in range(0, len(every), 6):
        yield "kernel_name", b"\n".join(every[at : at + 6])
    for text in expressions():
        yield "match_language", text
    for path in yaml():
        text, name = path.read_text(), path.relative_to(ROOT).as_posix()
        if name.startswith("catalogs/") and "trace:" not in text:
            short = re.sub(r"(?m)^id: .*$", "id: any/fuzz", without_tests(text))
            yield "family", re.sub(r"(?m)^kind: .*$", "kind: fuse", short).encode()
        elif path.parent == ROOT / "rules":
            yield "family", f"#! {name}\n{text}".encode()
    for path in sorted((ROOT / "tests/diagnostics").glob("*.yaml")):
        yield "family", path.read_bytes()
    for number in range(12):
        for change in range(16):
            yield "events", bytes([number]) + bytes((number * 37 + change * 11 + n * 29) % 256 for n in range(64))
    for path in sorted((FUZZ / "seeds").glob("*/*")):
        yield path.parent.name, path.read_bytes()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for target, data in seeds():
        folder = Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


main()
