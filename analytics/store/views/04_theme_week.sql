-- grain: theme × segment × source × week. Weekly shares; a cell that may not be shown has no figure.
CREATE VIEW theme_week AS
SELECT * EXCLUDE (n_weeks)
FROM theme_cell
WHERE n_weeks = 1
ORDER BY name, segment_name, segment_value, source, window_start;
