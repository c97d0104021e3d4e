"""A night's traces into the tables of the fleet: a job for a Ray cluster.

    ray job submit --working-dir src/python/jobs --runtime-env-json '{"pip": ["llm-prof[ray]"]}' -- \
        python fleet_job.py --resume s3://bucket/traces/2026-11-24/ s3://bucket/tables/2026-11-24

Ends with 0 also where inputs could not be read; they are told, and rows of the table `errors`.
"""

import argparse

import ray

from llm_prof.ray import triage_dataset


def main() -> None:
    arguments = argparse.ArgumentParser(description="Triages traces on a Ray cluster and writes Parquet.")
    arguments.add_argument("uris", nargs="+", metavar="URI", help="files, folders and globs")
    arguments.add_argument("output", metavar="OUTPUT", help="folder of the tables")
    arguments.add_argument("--resume", action="store_true", help="go on where a job before this one ended")
    arguments.add_argument("--max-bytes", help="most JSON that one trace may unpack to")
    given = arguments.parse_args()
    ray.init()
    done = triage_dataset(given.uris, given.output, resume=given.resume, max_bytes=given.max_bytes)
    print(f"{done.traces} traces, {done.errors} inputs that cannot be read, {done.skipped} done before: {done.output}")


if __name__ == "__main__":
    main()
