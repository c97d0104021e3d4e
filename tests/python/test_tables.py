"""`llm_prof.to_arrow` makes the tables of `llm-prof fleet`, and what is generated is up to date."""

import subprocess
import sys

import llm_prof
from conftest import ROOT, rows
from llm_prof.columns import TABLES


def test_what_is_generated_is_what_the_schemas_say():
    subprocess.run([sys.executable, ROOT / "tests/python/generate.py", "--check"], check=True)


def test_tables_are_those_of_the_fleet_row_for_row(fleet):
    traces = [row["trace"] for row in rows(fleet / "now", "runs")][:40]
    tables = llm_prof.to_arrow(llm_prof.triage(trace, quiet=True) for trace in traces)
    assert list(tables) == list(TABLES)
    for name, table in tables.items():
        expected = [row for row in rows(fleet / "now", name) if row.pop("table") and row["trace"] in traces]
        assert table.num_rows > 0
        wanted = [{column: row.get(column) for column in table.column_names} for row in expected]
        assert table.to_pylist() == wanted, name
        assert {key for row in expected for key in row} <= set(table.column_names), name


def test_no_reports_are_empty_tables_with_their_columns():
    tables = llm_prof.to_arrow([])
    assert {name: table.column_names for name, table in tables.items()} == {
        name: list(columns) for name, columns in TABLES.items()
    }
    assert all(table.num_rows == 0 for table in tables.values())
    assert not tables["findings"].schema.field("family").nullable
    assert tables["findings"].schema.field("at_stake_us").nullable
