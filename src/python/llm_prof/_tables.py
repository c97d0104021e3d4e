"""Reports as tables: the rows are those of `llm-prof fleet tables`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import _program
from .columns import TABLES
from .report import Report

if TYPE_CHECKING:
    import pyarrow as pa


def to_arrow(reports: Iterable[Report]) -> dict[str, pa.Table]:
    """Five Arrow tables of reports: `runs`, `steps`, `kernels`, `findings`, `overlap`.

    Columns and rows are those of `llm-prof fleet tables`; `at_stake_us` of `findings` is what may be added up. A table
    without rows has its columns all the same.
    """
    texts = [json.dumps(dataclasses.asdict(report)).encode() + b"\n" for report in reports]
    return arrow_tables(rows_of(texts) if texts else [])


def rows_of(reports: Iterable[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of reports as JSON, each with the name of its table."""
    printed, _ = _program.call(["fleet", "tables", "-"], reports)
    return lines(printed)


def lines(ndjson: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows as `llm-prof fleet tables` prints them."""
    for line in ndjson.splitlines():
        row = json.loads(line)
        yield row.pop("table"), row


def arrow_tables(rows: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, pa.Table]:
    """Rows as tables with the columns of their schema."""
    import pyarrow as pa

    of_table: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for name, row in rows:
        of_table[name].append(row)
    return {name: pa.Table.from_pylist(of_table[name], schema=arrow_schema(name)) for name in TABLES}


def arrow_schema(table: str) -> pa.Schema:
    """The columns of a table."""
    import pyarrow as pa

    kinds = {"string": pa.string(), "bool": pa.bool_(), "int64": pa.int64(), "double": pa.float64()}
    return pa.schema([pa.field(name, kinds[kind], nullable) for name, (kind, nullable) in TABLES[table].items()])


def write_parquet(tables: dict[str, pa.Table], filesystem: Any, base: str, name: str) -> None:
    """Tables as `BASE/<table>/day=<day>/model=<model>/<name>`; a file of that name is written over.

    The model of `runs` stands in the path alone, as it does for the tables that have no such column.
    """
    import pyarrow as pa
    import pyarrow.dataset

    text: pa.DataType = pa.string()
    schema = pa.schema([("day", text), ("model", text)])
    runs = tables["runs"].select(["trace", "date", "model"]).to_pylist()
    of = {run["trace"]: (run["date"] and run["date"][:10], run["model"]) for run in runs}
    for table, rows in tables.items():
        if rows.num_rows == 0:
            continue
        traces = rows["trace"].to_pylist()
        rows = rows.append_column("day", pa.array([of[trace][0] for trace in traces], pa.string()))
        if "model" not in rows.column_names:
            rows = rows.append_column("model", pa.array([of[trace][1] for trace in traces], pa.string()))
        pyarrow.dataset.write_dataset(
            rows,
            f"{base}/{table}",
            filesystem=filesystem,
            format="parquet",
            partitioning=pyarrow.dataset.partitioning(schema, flavor="hive"),
            basename_template=name,
            existing_data_behavior="overwrite_or_ignore",
            max_partitions=100_000,
        )

