"""Every published table: columns, types, key, grain, run facts. Column names are decided here alone.

Run facts are columns in which two runs of the same night may honestly differ (clock times, attempt numbers);
a digest leaves them out. Units stand in names: `_share` is 0 to 1, `_at` a UTC timestamp, `day` a local date,
`n_` a count.
"""

from __future__ import annotations

from analytics.tables.conclusions import CONCLUSIONS
from analytics.tables.customers import CUSTOMERS
from analytics.tables.insights import INSIGHTS
from analytics.tables.night import NIGHT
from analytics.tables.table import SEGMENTS, UTC_TIME, Table

__all__ = ["ALL", "SEGMENTS", "TABLES", "UTC_TIME", "Table"]

ALL = "all"
"""Name and value of the segment that holds everything."""

TABLES = {table.name: table for table in (*NIGHT, *INSIGHTS, *CONCLUSIONS, *CUSTOMERS)}
