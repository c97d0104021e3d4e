-- Which hosts and ranks are stragglers? Own work of a step is its busy time without communication that nothing runs
-- beside; its median, over steps and then traces, is compared with the median of the like: traces of one stage, model,
-- framework, version, hardware, TP and size of a step. A server is compared with servers, a rank with those of its
-- run. Bars: the variables over_pct, fewest and size_pct; without them those of rules/fleet.yaml.
WITH bars AS (
    SELECT
        coalesce(getvariable('over_pct'), 10)::DOUBLE AS over_pct,
        coalesce(getvariable('fewest'), 3)::INT AS fewest,
        coalesce(getvariable('size_pct'), 10)::DOUBLE AS size_pct
),
traces AS (
    SELECT
        trace,
        stage,
        nearest(list(ns(busy_us) - ns(exposed_communication_us)) FILTER (busy_us IS NOT NULL), 50) AS own,
        nearest(list(coalesce(tokens, requests)) FILTER (coalesce(tokens, requests) IS NOT NULL), 50) AS size
    FROM steps
    GROUP BY trace, stage
    HAVING own IS NOT NULL
),
sized AS (
    SELECT *, CASE WHEN size > 0 THEN round(ln(size) / ln(1 + size_pct / 100)) END AS class FROM traces, bars
),
ones AS (
    SELECT
        runs.server,
        runs.run,
        runs.rank,
        sized.stage,
        sized.own,
        struct_pack(
            stage := sized.stage, model := model, framework := framework, version := framework_version,
            hardware := hardware, tp := tp, class := class
        ) AS kind,
        model IS NOT NULL AND hardware IS NOT NULL AND class IS NOT NULL AS known
    FROM sized JOIN runs USING (trace)
),
servers AS (
    SELECT kind, stage, server, nearest(list(own), 50) AS own, count(*) AS traces
    FROM ones WHERE known GROUP BY ALL
),
ranks AS (
    SELECT kind, stage, run, any_value(server) AS server, rank, nearest(list(own), 50) AS own, count(*) AS traces
    FROM ones WHERE rank IS NOT NULL GROUP BY kind, stage, run, rank
),
compared AS (
    SELECT
        kind, stage, server, NULL AS rank, '' AS run, own, traces,
        nearest(list(own) OVER same, 50) AS usual, count(*) OVER same AS "of"
    FROM servers WINDOW same AS (PARTITION BY kind)
    UNION ALL
    SELECT
        kind, stage, server, rank, run, own, traces,
        nearest(list(own) OVER same, 50) AS usual, count(*) OVER same AS "of"
    FROM ranks WINDOW same AS (PARTITION BY kind, run)
),
slow AS (
    SELECT compared.* FROM compared, bars
    WHERE "of" >= fewest AND usual > 0 AND pct(own, usual) > 100 + over_pct
)
-- A rank that is slow in several runs of its server stands once, with the run in which it is most over.
SELECT
    server,
    rank,
    stage,
    own / 1000 AS own_us,
    usual / 1000 AS usual_us,
    pct(own - usual, usual) AS over_pct,
    sum(traces) OVER (PARTITION BY kind, server, rank) AS traces,
    "of"
FROM slow
QUALIFY row_number() OVER (PARTITION BY kind, server, rank ORDER BY pct(own, usual) DESC, run) = 1
ORDER BY over_pct DESC, stage, server, rank;
