-- The tables of a fleet as views, for the queries beside this file. Run it first, with the folder in a variable:
--
--   duckdb -cmd "SET VARIABLE fleet = 's3://bucket/tables'" -cmd ".read fleet.sql" -f missing.sql
--
-- The folder is what llm_prof.ray.triage_dataset wrote. `changes.sql` wants another such folder, of before, in the
-- variable `baseline`. Every value of time is rounded to whole nanoseconds before it is added up, as the program does.

CREATE OR REPLACE MACRO ns(us) AS round(us * 1000)::BIGINT;
-- The value that so many per cent of the values do not exceed.
CREATE OR REPLACE MACRO nearest(list, percent) AS list_sort(list)[greatest(1, ceil(len(list) * percent / 100))::INT];
-- In per cent, to the thousandth.
CREATE OR REPLACE MACRO pct(part, whole) AS CASE WHEN whole > 0 THEN round(part / whole * 100000) / 1000 ELSE 0 END;
-- A fused path is missing where its parts run and no larger pattern covers them.
CREATE OR REPLACE MACRO missing(state, covered_by) AS state IN ('split', 'partly') AND covered_by IS NULL;

CREATE OR REPLACE MACRO table_of(folder, name) AS TABLE
    SELECT * FROM read_parquet(
        folder || '/' || name || '/**/*.parquet', hive_partitioning = true, hive_types_autocast = false, union_by_name = true
    );
CREATE OR REPLACE VIEW runs AS FROM table_of(getvariable('fleet'), 'runs');
CREATE OR REPLACE VIEW steps AS FROM table_of(getvariable('fleet'), 'steps');
CREATE OR REPLACE VIEW kernels AS FROM table_of(getvariable('fleet'), 'kernels');
CREATE OR REPLACE VIEW findings AS FROM table_of(getvariable('fleet'), 'findings');
CREATE OR REPLACE VIEW overlap AS FROM table_of(getvariable('fleet'), 'overlap');
