-- grain: generation. How many tests the night made, and how often this store's own weeks, shuffled, cry wolf.
CREATE VIEW test_board AS
SELECT
    sum(value) FILTER (metric = 'n_tests')::BIGINT AS n_tests,
    max(value) FILTER (metric = 'false_alarm_rate') AS false_alarm_rate,
    max(n) FILTER (metric = 'false_alarm_rate') AS n_shuffled,
    max(about) FILTER (metric = 'false_alarm_rate') AS measured_on
FROM quality
HAVING count(*) FILTER (metric = 'n_tests') > 0;
