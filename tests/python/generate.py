#!/usr/bin/env python3
"""Writes what the Python module knows, from the published schemas and the rules: `generate.py [--check]`.

report.py: dataclasses of rules/schema/output/triage.json. columns.py: columns of the tables of
rules/schema/output/fleet-tables.json. inputs.py: what rules/inputs.yaml says of names and memory, for traces in object
storage. With --check nothing is written, and a difference ends with 1.
"""

import argparse
import json
import keyword
import sys
import textwrap
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "rules/schema/output"
MODULE = ROOT / "src/python/llm_prof"

SCALARS = {"string": "str", "boolean": "bool", "integer": "int", "number": "float"}
ARROW = {"string": "string", "boolean": "bool", "integer": "int64", "number": "double"}


def python_type(schema: dict) -> str:
    """The annotation of a value. Only what the schemas use is known; anything else must be looked at by a person."""
    known = {"$ref", "additionalProperties", "anyOf", "default", "description", "format", "items", "minimum", "type"}
    if set(schema) - known:
        raise SystemExit(f"unknown keys in a schema: {sorted(set(schema) - known)}")
    if "$ref" in schema:
        return schema["$ref"].removeprefix("#/$defs/")
    if "anyOf" in schema:
        return " | ".join("None" if part == {"type": "null"} else python_type(part) for part in schema["anyOf"])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    parts = []
    for kind in types:
        if kind == "array":
            parts.append(f"list[{python_type(schema['items'])}]")
        elif kind == "object":
            values = schema["additionalProperties"]
            parts.append(f"dict[str, {'Any' if values is True else python_type(values)}]")
        else:
            parts.append("None" if kind == "null" else SCALARS[kind])
    return " | ".join(parts)


def comment(text: str, indent: str) -> list[str]:
    """A text as the documentation of what stands above it."""
    lines = textwrap.wrap(" ".join(text.split()), 113 - len(indent)) or [""]
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    return [f'{indent}"""{lines[0]}', *(indent + line for line in lines[1:]), f'{indent}"""']


def dataclass(name: str, schema: dict) -> list[str]:
    lines = ["", "", "@dataclass(frozen=True, kw_only=True)", f"class {name}:"]
    lines += comment(schema["description"], "    ")
    required = set(schema.get("required", []))
    for field, value in schema["properties"].items():
        if keyword.iskeyword(field):
            raise SystemExit(f"{name}.{field} is a keyword")
        kind = python_type(value)
        if field not in required:
            kind = f"{kind} = None" if kind.endswith("None") else f"{kind} | None = None"
        lines += ["", f"    {field}: {kind}", *comment(value.get("description", ""), "    ")]
    return lines


def report() -> str:
    schema = json.loads((SCHEMAS / "triage.json").read_text())
    lines = [
        '"""A report, as `llm-prof triage --format json` prints it.',
        "",
        "Made by tests/python/generate.py from rules/schema/output/triage.json.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from dataclasses import dataclass",
        "from typing import Any",
    ]
    for name, part in sorted(schema["$defs"].items()):
        lines += dataclass(name, part)
    return "\n".join(lines + dataclass(schema["title"], schema)) + "\n"


def columns() -> str:
    schema = json.loads((SCHEMAS / "fleet-tables.json").read_text())
    lines = [
        '"""The tables that reports are made into: the columns of each, its Arrow type and whether it may be null.',
        "",
        "Made by tests/python/generate.py from rules/schema/output/fleet-tables.json.",
        '"""',
        "",
        "TABLES: dict[str, dict[str, tuple[str, bool]]] = {",
    ]
    rows = {
        table["properties"]["table"]["const"]: schema["$defs"][table["$ref"].removeprefix("#/$defs/")]
        for table in schema["oneOf"]
    }
    # What a row is of stands first: the columns that every table has.
    keys = set.intersection(*(set(row["properties"]) for row in rows.values()))
    for table, row in rows.items():
        lines.append(f'    "{table}": {{')
        for column, value in sorted(row["properties"].items(), key=lambda item: (item[0] not in keys, item[0])):
            types = value["type"] if isinstance(value["type"], list) else [value["type"]]
            (kind,) = [ARROW[kind] for kind in types if kind != "null"]
            nullable = "null" in types or column not in row["required"]
            lines.append(f'        "{column}": ("{kind}", {nullable}),')
        lines.append("    },")
    return "\n".join([*lines, "}"]) + "\n"


def inputs() -> str:
    rules = yaml.safe_load((ROOT / "rules/inputs.yaml").read_text())
    capture = rules["capture"]
    passed_over = [*rules["ignored"], *rules["server_args"], *rules["frontend"], *capture["names"]]
    names = {
        "CANDIDATES": (rules["candidates"], "Files of a folder that may be traces."),
        "IGNORED": (passed_over, "Those of them that are none of a worker."),
        "MERGED": (rules["merged"], "All ranks in one file: read where a folder has no other trace."),
        "CAPTURE_FOLDERS": (capture["folders"], "Folders of graph captures, which lie beside the traces of a run."),
    }
    lines = [
        '"""What names of files say, and how much memory a trace takes.',
        "",
        "Made by tests/python/generate.py from rules/inputs.yaml, which says more of each.",
        '"""',
    ]
    for name, (values, about) in names.items():
        lines += ["", f"{name} = ("]
        lines += [f"    {json.dumps(value)}," for value in values]
        lines += [")", *comment(about, "")]
    memory = rules["memory"]
    lines += ["", f"MEMORY_BASE = {memory['base_mb']} * 1_000_000", *comment("Bytes that any trace takes.", "")]
    lines += ["", f"MEMORY_OF_JSON = {memory['of_json_pct'] / 100}", *comment("And so many for each byte of JSON.", "")]
    lines += ["", f"RATIO = {memory['ratio']}", *comment("Bytes of JSON that a byte of a compressed file may be.", "")]
    return "\n".join(lines) + "\n"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true", help="write nothing; a difference ends with 1")
    check = arguments.parse_args().check
    stale = 0
    for name, text in {"report.py": report(), "columns.py": columns(), "inputs.py": inputs()}.items():
        path = MODULE / name
        if path.exists() and path.read_text() == text:
            continue
        if check:
            print(f"{path.relative_to(ROOT)} is not what the schemas say: run tests/python/generate.py")
            stale += 1
        else:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
