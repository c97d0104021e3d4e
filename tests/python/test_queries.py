"""The queries of catalogs/queries answer what `llm-prof fleet report` answers."""

import json

import duckdb
import pytest
import yaml
from pyarrow import fs

from conftest import ROOT, rows, run
from llm_prof import _tables
from llm_prof.columns import TABLES

QUERIES = ROOT / "catalogs/queries"


@pytest.fixture(scope="session")
def parquet(fleet):
    """The tables of both folders as Parquet, in the layout of llm_prof.ray."""
    for name in ("now", "before"):
        flat = [(table, row) for table in TABLES for row in rows(fleet / name, table) if row.pop("table")]
        half = [row for table, row in flat if table == "runs"][: len(flat) // 3]
        first = {row["trace"] for row in half}
        for part, of_part in enumerate([True, False]):
            some = _tables.arrow_tables((table, row) for table, row in flat if (row["trace"] in first) is of_part)
            _tables.write_parquet(some, fs.LocalFileSystem(), str(fleet / f"{name}.parquet"), f"{part}.{{i}}.parquet")
    return fleet


@pytest.fixture(scope="session")
def report(fleet):
    return json.loads(run("fleet", "report", fleet / "now", "--baseline", fleet / "before", "-f", "json"))


@pytest.fixture
def ask(parquet):
    """The rows of a query as dictionaries."""
    base = duckdb.connect()
    base.execute(f"SET VARIABLE fleet = '{parquet / 'now.parquet'}'")
    base.execute(f"SET VARIABLE baseline = '{parquet / 'before.parquet'}'")
    base.execute((QUERIES / "fleet.sql").read_text())

    def answer(name):
        said = base.execute((QUERIES / f"{name}.sql").read_text())
        columns = [column[0] for column in said.description]
        return [dict(zip(columns, row)) for row in said.fetchall()]

    return answer


def picked(row, *keys):
    return {key: row[key] for key in keys}


def test_servers_on_which_a_path_is_missing(ask, report):
    keys = ("family", "title", "servers", "confirmed", "in_use", "found", "traces")
    got = {row["family"]: picked(row, *keys) for row in ask("missing")}
    assert got == {row["family"]: picked(row, *keys) for row in report["families"]} != {}


def test_what_it_costs_in_all_is_never_added_up_twice(ask, report):
    whole, *families = ask("cost")
    keys = ("family", "at_stake_us", "at_stake_pct", "could_save_us")
    assert [picked(row, *keys) for row in families] == [picked(row, *keys) for row in report["families"]] != []
    assert whole["family"] is None
    assert whole["at_stake_us"] == pytest.approx(sum(row["at_stake_us"] for row in report["families"]), abs=0.001)
    twice = sum(row["could_save_us"] for row in families)
    assert 0 < whole["at_stake_us"] < twice, "the fleet has families that share launches, or the test shows nothing"


def test_stragglers_by_server_and_rank(ask, report):
    keys = ("server", "rank", "stage", "own_us", "usual_us", "over_pct", "traces", "of")
    order = lambda row: (row["server"], row["rank"] is not None, row["rank"], row["stage"], row["of"])  # noqa: E731
    got = sorted((picked(row, *keys) for row in ask("stragglers")), key=order)
    assert got == sorted((picked(row, *keys) for row in report["stragglers"]), key=order)
    assert any(row["rank"] is None for row in got) and any(row["rank"] is not None for row in got)


def test_bars_of_stragglers_are_those_of_the_rules():
    bars = yaml.safe_load((ROOT / "rules/fleet.yaml").read_text())["stragglers"]
    text = (QUERIES / "stragglers.sql").read_text()
    for name, value in bars.items():
        assert f"coalesce(getvariable('{name}'), {value})" in text


def test_what_changed_since_a_baseline(ask, report):
    keys = ("family", "title", "change", "before", "now", "appeared", "mended")
    got = {row["family"]: picked(row, *keys) for row in ask("changes")}
    assert got == {row["family"]: picked(row, *keys) for row in report["changes"]["families"]} != {}


def test_spread_of_the_share_of_each_category(ask, report):
    got = {}
    for row in ask("spread"):
        got.setdefault((row["model"], row["stage"], row["traces"]), []).append(
            picked(row, "category", "p10_pct", "p50_pct", "p90_pct")
        )
    expected = {(one["model"], one["stage"], one["traces"]): one["categories"] for one in report["spread"]}
    assert got == expected != {}


def test_every_query_is_asked():
    named = {path.stem for path in QUERIES.glob("*.sql")}
    assert named == {"fleet", "missing", "cost", "stragglers", "changes", "spread"}
