-- What changed since a baseline? Families that are missing on other servers than before. Of the servers that are in
-- both: `appeared`, where it is missing only now; `mended`, where it was missing and is found otherwise now.
WITH before AS (
    SELECT family, title, server, missing(state, covered_by) AS missing
    FROM table_of(getvariable('baseline'), 'findings')
),
now AS (SELECT family, title, server, missing(state, covered_by) AS missing FROM findings),
seen AS (
    SELECT
        (SELECT list(DISTINCT server) FROM table_of(getvariable('baseline'), 'runs')) AS before,
        (SELECT list(DISTINCT server) FROM runs) AS now
),
sides AS (
    SELECT
        family,
        coalesce(any_value(title) FILTER (is_now), any_value(title)) AS title,
        coalesce(list(DISTINCT server) FILTER (missing AND NOT is_now), []) AS before,
        coalesce(list(DISTINCT server) FILTER (missing AND is_now), []) AS now,
        coalesce(list(DISTINCT server) FILTER (is_now), []) AS found
    FROM (SELECT *, false AS is_now FROM before UNION ALL SELECT *, true FROM now)
    GROUP BY family
)
SELECT
    family,
    title,
    CASE
        WHEN len(sides.before) = 0 THEN 'new'
        WHEN len(sides.now) = 0 THEN 'gone'
        WHEN len(sides.now) >= len(sides.before) THEN 'more'
        ELSE 'fewer'
    END AS change,
    len(sides.before) AS before,
    len(sides.now) AS now,
    len(both_now) - len(list_intersect(both_now, sides.before)) AS appeared,
    len(both_before) - len(list_intersect(both_before, sides.now)) AS mended
FROM
    sides,
    seen,
    LATERAL (SELECT
        list_intersect(sides.now, seen.before) AS both_now,
        list_intersect(list_intersect(sides.before, seen.now), found) AS both_before)
WHERE list_sort(sides.before) <> list_sort(sides.now)
ORDER BY list_position(['new', 'gone', 'more', 'fewer'], change), family;
