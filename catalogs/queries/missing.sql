-- On how many servers is a known path missing? A row a family: servers where it is missing, where that is confirmed,
-- where it is in use, where it was found in any state.
SELECT
    family,
    any_value(title) AS title,
    count(DISTINCT server) FILTER (missing(state, covered_by)) AS servers,
    count(DISTINCT server) FILTER (missing(state, covered_by) AND confidence = 'Confirmed') AS confirmed,
    count(DISTINCT server) FILTER (state = 'in-use') AS in_use,
    count(DISTINCT server) AS found,
    count(DISTINCT trace) FILTER (missing(state, covered_by)) AS traces
FROM findings
GROUP BY family
HAVING servers > 0
ORDER BY servers DESC, family;
