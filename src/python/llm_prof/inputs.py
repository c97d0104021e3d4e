"""What names of files say, and how much memory a trace takes.

Made by tests/python/generate.py from rules/inputs.yaml, which says more of each.
"""

CANDIDATES = (
    "*.json",
    "*.json.gz",
    "*.json.zst",
    "*.json-rank-*",
    "*.trace*",
    "*.gz",
    "*.zst",
)
"""Files of a folder that may be traces."""

IGNORED = (
    "*-memory*",
    "*.pickle",
    "*.pkl",
    "*profiler_out*",
    "metadata.json",
    "config.json",
    "capture.json",
    "tokenizer*.json",
    "*.tar.gz",
    "*.partial",
    "server_args.json",
    "*.async_llm.*",
    "*_frontend.*",
    "*-capture.*",
    "*_capture.*",
    "*-capture-*",
    "cuda_graph_capture*",
    "*graph_capture*",
)
"""Those of them that are none of a worker."""

MERGED = (
    "merged-*",
    "merged_*",
)
"""All ranks in one file: read where a folder has no other trace."""

CAPTURE_FOLDERS = (
    "capture_traces",
    "graph_capture_profile",
)
"""Folders of graph captures, which lie beside the traces of a run."""

MEMORY_BASE = 40 * 1_000_000
"""Bytes that any trace takes."""

MEMORY_OF_JSON = 0.4
"""And so many for each byte of JSON."""

RATIO = 12
"""Bytes of JSON that a byte of a compressed file may be."""
