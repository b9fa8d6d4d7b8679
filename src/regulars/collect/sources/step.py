"""The step that imports a retailer's files into facts: where every line of lineage starts."""

from collections.abc import Iterable
from pathlib import Path

from regulars.collect.sources.mapping import ImportMapping
from regulars.collect.sources.service import ImportResult, Progress, import_files
from regulars.govern.protection.service import Protector
from regulars.ports.lake import Lake
from regulars.ports.steps import step


@step(
    reads="",
    writes="customers products stores orders order_lines returns visits promotions campaigns "
    "campaign_members coupons redemptions consents contact_outcomes offers reviews survey_answers "
    "service_tickets social_mentions ad_costs stock_levels shipments weather_days calendar_days "
    "competitor_prices imports quarantine",
)
def import_sources(
    lake: Lake,
    files: Iterable[Path | str],
    mapping: ImportMapping,
    *,
    zone: str,
    progress: Progress | None = None,
    dry_run: bool = False,
    protector: Protector | None = None,
) -> list[ImportResult]:
    """Import files; what it promises is written at `import_files`.

    Returns:
        One result per file and table.
    """
    return import_files(
        lake, files, mapping, zone=zone, progress=progress, dry_run=dry_run, protector=protector
    )
