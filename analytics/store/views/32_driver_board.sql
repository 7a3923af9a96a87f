-- grain: theme × outcome. What each theme does to each outcome, those that move the mean most first.
CREATE VIEW driver_board AS
SELECT d.*, t.name
FROM driver AS d
JOIN theme AS t USING (theme_id)
WHERE t.is_shown
ORDER BY d.outcome, abs(d.recoverable) DESC, d.theme_id;
