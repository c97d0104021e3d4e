-- How far apart are the shares of a category? Of each model and stage, over its traces: a trace without the category
-- has 0.
WITH times AS (
    SELECT runs.model, kernels.stage, kernels.trace, kernels.category, sum(ns(kernels.time_us)) AS time
    FROM kernels JOIN runs USING (trace)
    GROUP BY ALL
),
traces AS (
    SELECT model, stage, trace, sum(time) AS whole FROM times GROUP BY ALL HAVING whole > 0
),
categories AS (SELECT DISTINCT model, stage, category FROM times SEMI JOIN traces USING (trace, stage)),
shares AS (
    SELECT traces.model, traces.stage, categories.category, pct(coalesce(times.time, 0), traces.whole) AS share
    FROM traces
    JOIN categories ON categories.stage = traces.stage AND categories.model IS NOT DISTINCT FROM traces.model
    LEFT JOIN times
        ON times.trace = traces.trace AND times.stage = traces.stage AND times.category = categories.category
)
SELECT
    model,
    stage,
    category,
    count(*) AS traces,
    nearest(list(share), 10) AS p10_pct,
    nearest(list(share), 50) AS p50_pct,
    nearest(list(share), 90) AS p90_pct
FROM shares
GROUP BY model, stage, category
ORDER BY model, stage, p50_pct DESC, p90_pct DESC, category;
