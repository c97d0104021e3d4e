-- What does it cost in all? GPU time that fusing would save, by family and, in the row without one, together. Launches
-- that several families share are counted once (`at_stake_us`), so that rows add up; `could_save_us` counts them in
-- each.
WITH gpu AS (SELECT sum(ns(gpu_us)) AS total FROM runs),
affected AS (SELECT DISTINCT family FROM findings WHERE missing(state, covered_by))
SELECT
    family,
    sum(ns(coalesce(at_stake_us, 0))) / 1000 AS at_stake_us,
    pct(sum(ns(coalesce(at_stake_us, 0))), (SELECT total FROM gpu)) AS at_stake_pct,
    CASE WHEN grouping(family) = 0 THEN sum(ns(coalesce(could_save_us, 0))) / 1000 END AS could_save_us
FROM findings
SEMI JOIN affected USING (family)
GROUP BY ROLLUP (family)
ORDER BY grouping(family) DESC, at_stake_us DESC, family;
