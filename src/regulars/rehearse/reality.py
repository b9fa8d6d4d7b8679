"""The reality check: the loop on a real grocer's weeks, with contacts that never arrive.

Nothing is delivered, so nothing was caused, and the measured effects must say so.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from regulars.app import App
from regulars.collect.sources.mapping import mapping_by_name
from regulars.collect.sources.service import import_files
from regulars.datasets import complete_journey
from regulars.loop import run_turn
from regulars.rehearse.workspaces import workspace
from regulars.settings import ChannelSettings, Policy, Retailer, Settings

HISTORY_WEEKS = 40


def run_reality_check(
    folder: Path,
    *,
    seed: int,
    offers: Path,
    workers: int = 2,
    turns: int = complete_journey.LAST_WEEK - HISTORY_WEEKS,
    progress: Callable[[str], None] = lambda _what: None,
) -> App:
    """Deliver the last weeks of Complete Journey one by one and run a turn after each.

    Args:
        folder: The workspace folder; the weekly files are written to `delivery/` in it.
        seed: Seed of the loop.
        offers: An offers.csv; its offers are decided about and never delivered.
        workers: Threads of the engine and senders.
        turns: Weeks delivered, 1 to 13.
        progress: Told what starts.

    Returns:
        The workspace, with every turn but the last measured.
    """
    app = workspace(folder, _settings(seed), workers=workers)
    zone, mapping = app.settings.retailer.zone, complete_journey.mapping()
    progress("history")
    history = complete_journey.history_until(HISTORY_WEEKS, folder / "delivery")
    import_files(app.lake, history, mapping, zone=zone)
    import_files(app.lake, [offers], mapping_by_name(), zone=zone)
    for week in range(HISTORY_WEEKS + 1, HISTORY_WEEKS + turns + 1):
        progress(f"week {week} of {HISTORY_WEEKS + turns}")
        run_turn(app, complete_journey.last_day(week - 1), contact=True)
        delivered = complete_journey.week_files(week, folder / "delivery")
        import_files(app.lake, delivered, mapping, zone=zone)
    progress("last measuring")
    run_turn(app, complete_journey.last_day(HISTORY_WEEKS + turns), contact=False)
    return app


def _settings(seed: int) -> Settings:
    """Contact freely and hold out much: nothing is delivered, and intervals are what is wanted."""
    loop = replace(
        Settings().loop,
        seed=seed,
        weekly_budget=Decimal(20_000),
        campaign_holdout=0.3,
        least_campaign_holdout=0.3,
        exploration_floor=0.2,
    )
    return Settings(
        retailer=Retailer("Complete Journey grocer", "USD", complete_journey.ZONE),
        loop=loop,
        policy=replace(Policy(), consent_required=False),
        channels={
            "sms": ChannelSettings(Decimal("0.03")),
            "app": ChannelSettings(Decimal("0.01")),
            "letter": ChannelSettings(Decimal("0.02")),
        },
    )
