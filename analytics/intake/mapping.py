"""From the columns of a source to rows of one form, with a reason for each row that does not fit."""

from __future__ import annotations

import polars as pl

from analytics.intake.files import EXACT_LIMIT, EXACT_ROLES, RawBlock, Rejection, SourceFile, setting_of
from analytics.intake.ratings import read_ratings
from analytics.intake.times import DateOrder, utc_times
from analytics.rows import REJECTED_ROWS, SOURCE_ROWS
from analytics.settings import ColumnSettings, SourceSettings
from analytics.tables import SEGMENTS

_NOT_A_VALUE: tuple[type[pl.DataType], ...] = (pl.Binary, pl.Duration, pl.Object)
_REFUSED = {
    "created_at": (*_NOT_A_VALUE, pl.Time, pl.Boolean),
    "rating": (*_NOT_A_VALUE, pl.Time, pl.Boolean, pl.Date, pl.Datetime),
}
_WANTED = {"created_at": "times", "rating": "numbers"}
_PRIMARY_SUBTAG = r"^([A-Za-z]{2,8})(?:[-_].*)?$"
_SINGLE_EXACT_LIMIT = 2.0**24


def mapped_roles(columns: ColumnSettings) -> dict[str, str]:
    """Role to column, for every column that is mapped; a segment's role is `segment <column>`."""
    named = columns.model_dump(exclude={"segments"}, exclude_none=True)
    return named | {f"segment {column}": column for column in columns.segments}


def check_types(schema: pl.Schema, file: SourceFile) -> None:
    """Refuse columns whose type cannot hold their role.

    Raises:
        SourceError: which column, its type and what it should hold.
    """
    for role, dtype in schema.items():
        if dtype.is_nested() or dtype in _REFUSED.get(role, _NOT_A_VALUE):
            raise file.error(
                f"column {file.roles[role]!r} (set as columns.{setting_of(role)}) holds {dtype}, "
                f"not {_WANTED.get(role, 'text')}; map another column"
            )


class Mapping:
    """Maps the blocks of one source, and remembers in which order its dates are written."""

    def __init__(self, source: SourceSettings) -> None:
        self._source = source
        self._order = DateOrder()

    def map_block(self, raw: RawBlock) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows of one form, and the rows that were rejected.

        Returns:
            Frames with exactly the columns of `SOURCE_ROWS` and `REJECTED_ROWS`, each in file order.
        """
        mapped = self._mapped(raw)
        reasons = mapped.select(_reason(self._source)).to_series()
        rows = mapped.with_columns(created_at=pl.when(~pl.col("is_impossible")).then("created_at"))
        refused = []
        if reasons.null_count() < len(reasons):
            rows = rows.filter(reasons.is_null())
            refused = [
                Rejection(raw.positions[nth], reasons[nth], raw.hash_row(nth))
                for nth in reasons.is_not_null().arg_true()
            ]
        found = sorted([*raw.rejected, *refused], key=lambda rejection: rejection.position)
        rejected = [(one.position, one.reason, one.row_hash) for one in found]
        return (
            rows.select(pl.col(name).cast(dtype) for name, dtype in SOURCE_ROWS.items()),
            pl.DataFrame(rejected, schema=REJECTED_ROWS, orient="row"),
        )

    def _mapped(self, raw: RawBlock) -> pl.DataFrame:
        """Columns of `SOURCE_ROWS`, and what `_reason` looks at."""
        values, source = raw.values, self._source
        nothing = pl.Series([None], dtype=pl.String).new_from_index(0, values.height)
        time = values["created_at"] if "created_at" in values.columns else nothing
        rating = values["rating"] if "rating" in values.columns else nothing
        times = utc_times(time, source.time_zone, self._order)
        own_days = times.dt.convert_time_zone(source.time_zone).dt.date()
        channel = pl.coalesce(_stripped(values, "channel"), pl.lit(source.channel, pl.String))
        return values.select(
            position=raw.positions,
            source_id=_identity(values, "id"),
            title=_as_text(values, "title"),
            text=_as_text(values, "text"),
            created_at=times,
            item_id=_identity(values, "item"),
            user_id=_identity(values, "user"),
            name=_stripped(values, "name"),
            rating=read_ratings(rating, source.rating_scale),
            language=_language(values),
            thread_id=_identity(values, "thread"),
            speaker=_stripped(values, "speaker"),
            channel=channel.str.to_lowercase(),
            question=pl.coalesce(_stripped(values, "question"), pl.lit(source.question, pl.String)),
            url=pl.coalesce(_stripped(values, "url"), _record_url(values, source)),
            kind=_stripped(values, "kind").str.to_lowercase(),
            segments=_segments(values),
            has_rating=_is_given(values, "rating"),
            has_time=_is_given(values, "created_at"),
            is_impossible=own_days < source.earliest,
            **{f"inexact_{role}": _is_inexact(values, role) for role in EXACT_ROLES},
        )


def _reason(source: SourceSettings) -> pl.Expr:
    """Why a row does not fit, the first reason found; null where it fits."""
    low, high = source.rating_scale
    rating = pl.col("rating")
    outside = pl.format(
        "rating {} is outside {} to {}", _number_text(rating), pl.lit(f"{low:g}"), pl.lit(f"{high:g}")
    )
    checks: list[tuple[pl.Expr, str | pl.Expr]] = [
        (pl.col(f"inexact_{role}"), f"{role} is a number too large to be exact") for role in EXACT_ROLES
    ]
    if source.columns.id is not None:
        checks.append((pl.col("source_id").is_null(), "no id"))
    if source.kind == "interactions":
        checks.append((pl.col("user_id").is_null(), "no user"))
        checks.append((pl.col("item_id").is_null(), "no item"))
    checks.append((pl.col("has_rating") & rating.is_null(), "rating is not a number"))
    checks.append(((rating < low) | (rating > high), outside))
    if source.kind == "interactions":
        checks.append((~pl.col("has_time"), "no created_at"))
        checks.append((pl.col("created_at").is_null(), "created_at is not a date"))
        checks.append((pl.col("is_impossible"), f"created_at is before {source.earliest}"))
    return pl.coalesce(
        pl.when(is_wrong).then(pl.lit(reason) if isinstance(reason, str) else reason)
        for is_wrong, reason in checks
    )


def _column(values: pl.DataFrame, role: str) -> pl.Expr:
    return pl.col(role) if role in values.columns else pl.lit(None, pl.String)


def _number_text(number: pl.Expr) -> pl.Expr:
    """A float as text: whole numbers without a point, so that 5.0 and "5" name the same thing."""
    is_whole = (number == number.floor()) & (number.abs() < EXACT_LIMIT)
    whole = pl.when(is_whole).then(number).cast(pl.Int64).cast(pl.String)
    return pl.coalesce(whole, number.cast(pl.String))


def _as_text(values: pl.DataFrame, role: str) -> pl.Expr:
    """A column as text; numbers canonically."""
    value, dtype = _column(values, role), values.schema.get(role)
    if dtype is not None and dtype.is_float():
        number = value.cast(pl.Float32) if dtype == pl.Float16 else value
        return _number_text(number.fill_nan(None))
    if dtype is not None and dtype.is_decimal():
        return value.cast(pl.String).str.replace(r"\.0+$", "")
    return value.cast(pl.String)


def _stripped(values: pl.DataFrame, role: str) -> pl.Expr:
    """A column as text without space around it; null where nothing is left."""
    text = _as_text(values, role).str.strip_chars()
    return pl.when(text != "").then(text)


_identity = _stripped


def _is_inexact(values: pl.DataFrame, role: str) -> pl.Expr:
    """Where a float id is so large that its neighbours have the same value."""
    dtype = values.schema.get(role)
    if dtype is None or not dtype.is_float():
        return pl.lit(False)
    limit = EXACT_LIMIT if dtype == pl.Float64 else _SINGLE_EXACT_LIMIT
    return (pl.col(role).abs() >= limit) & ~pl.col(role).is_nan()


def _is_given(values: pl.DataFrame, role: str) -> pl.Expr:
    """Where a column holds anything at all, be it readable or not."""
    return _stripped(values, role).is_not_null()


def _language(values: pl.DataFrame) -> pl.Expr:
    """Primary subtag of the row's language; null where the row holds no language tag."""
    return _stripped(values, "language").str.extract(_PRIMARY_SUBTAG).str.to_lowercase()


def _record_url(values: pl.DataFrame, source: SourceSettings) -> pl.Expr:
    """The source's address of a record, with the record's id in it."""
    if source.url is None:
        return pl.lit(None, pl.String)
    before, _, after = source.url.partition("{id}")
    return pl.concat_str(pl.lit(before), _identity(values, "id"), pl.lit(after))


def _segments(values: pl.DataFrame) -> pl.Expr:
    """Segments in the settings' order, without those that a row lacks."""
    parts = [
        pl.struct(name=pl.lit(role.removeprefix("segment ")), value=_stripped(values, role))
        for role in values.columns
        if role.startswith("segment ")
    ]
    if not parts:
        return pl.lit([], SEGMENTS)
    return pl.concat_list(parts).list.filter(pl.element().struct.field("value").is_not_null())
