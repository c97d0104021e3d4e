"""Where the GPU time of an LLM server goes, from Python.

The package holds the program `llm-prof` and this module, which runs it: what it says is what the program says.

>>> import llm_prof
>>> report = llm_prof.triage("traces/", stage="decode")  # doctest: +SKIP
>>> [(row.family, row.state) for row in report.fuse]  # doctest: +SKIP

`llm_prof.to_arrow` makes tables of reports (`pip install llm-prof[arrow]`), `llm_prof.ray` reads the traces of a fleet
on a Ray cluster (`pip install llm-prof[ray]`). The fields of a report are documented in `llm_prof.report`.
"""

from ._errors import (
    InputError,
    InternalError,
    Interrupted,
    LlmProfError,
    LlmProfWarning,
    RulesError,
    UnfitError,
    UsageError,
)
from ._program import binary, read_report, triage
from ._tables import to_arrow
from .report import Report

__all__ = [
    "InputError",
    "InternalError",
    "Interrupted",
    "LlmProfError",
    "LlmProfWarning",
    "Report",
    "RulesError",
    "UnfitError",
    "UsageError",
    "binary",
    "read_report",
    "to_arrow",
    "triage",
]
