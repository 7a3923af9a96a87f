-- grain: generation. How many tests the night made, in plain words.
CREATE VIEW test_board AS
SELECT
    sum(value)::BIGINT AS n_tests,
    format('{:,} tests made tonight, corrected for being many.', sum(value)::BIGINT) AS sentence
FROM quality
WHERE metric = 'n_tests'
HAVING count(*) > 0;
