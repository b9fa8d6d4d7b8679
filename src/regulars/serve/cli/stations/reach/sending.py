"""`regulars reach send` and `tick`: contacts go out, campaigns go on."""

import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.serve.cli.progress import stages
from regulars.serve.cli.stations.reach.opening import (
    ACTOR,
    AsJson,
    Folder,
    Moment,
    as_json,
    moment_of,
    open_shop,
)

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.serve.sending.passing import Pass

MOST_PASSES = 1000
LOOKS_EVERY = 0.5


def send(
    campaign: Annotated[str, typer.Argument(help="Id of a campaign, or a file that holds one.")],
    *,
    folder: Folder = Path(),
    now: Moment = "",
    print_json: AsJson = False,
) -> None:
    """Start a campaign or go on with it, until nothing of it can go out now.

    What waits for its hour, its rate or its next phase goes out with later calls of `regulars
    reach tick`, or by itself while `regulars serve` runs.
    """
    from regulars.serve.cli.stations.reach.campaigns import given_in  # noqa: PLC0415
    from regulars.serve.sending import acting  # noqa: PLC0415
    from regulars.serve.sending.composing import Pen  # noqa: PLC0415
    from regulars.serve.sending.passing import one_pass  # noqa: PLC0415

    shop = open_shop(folder)
    moment = moment_of(now, shop)
    if Path(campaign).suffix in {".toml", ".json"}:
        campaign = acting.put(shop, given_in(Path(campaign)), actor=ACTOR, now=moment).campaign.id
    acting.begin(shop, campaign, actor=ACTOR, now=moment)
    pen = Pen(shop)
    with _shown(shop, campaign, quiet=print_json):
        for _ in range(MOST_PASSES):
            done = one_pass(shop, now=moment, only=campaign, pen=pen)
            if not done.moves and not any(done.report.count_by_end.values()):
                break
    summary = summary_of(shop, campaign)
    if print_json:
        typer.echo(as_json(summary))
        return
    _print_summary(summary, done)


def remind(
    *,
    channel: Annotated[str, typer.Option(help="One channel; all when left out.")] = "",
    folder: Folder = Path(),
    now: Moment = "",
    print_json: AsJson = False,
) -> None:
    """Remind staff of contacts that wait for them (企业群发); WeCom allows three a day."""
    from regulars.serve.sending.callbacks.staff_tasks import remind_staff  # noqa: PLC0415

    shop = open_shop(folder)
    found = remind_staff(shop, now=moment_of(now, shop), only=channel)
    if print_json:
        typer.echo(as_json(found))
        return
    for one in found:
        typer.echo(f"{one.channel} {one.task}: {one.waiting:,} wait, {one.did}")
    if not found:
        typer.echo("Nothing waits for staff.")


def tick(
    *,
    folder: Folder = Path(),
    now: Moment = "",
    print_json: AsJson = False,
) -> None:
    """Do one pass: recover, let held contacts go, take campaigns and journeys on, hand over."""
    from regulars.serve.sending.callbacks.staff_tasks import follow_staff  # noqa: PLC0415
    from regulars.serve.sending.passing import enrol_left, one_pass  # noqa: PLC0415

    shop = open_shop(folder)
    moment = moment_of(now, shop)
    left = enrol_left(shop, now=moment)
    done = one_pass(shop, now=moment)
    staff = follow_staff(shop, now=moment)
    if print_json:
        told = {"now": moment, "triggers": left, "moves": done.moves, "journeys": done.journeys,
                "staff": staff}  # fmt: skip
        typer.echo(as_json(told | vars(done.report)))
        return
    for move in done.moves:
        typer.echo(f"{move.campaign_id} {move.phase}: {move.did} {move.why}".rstrip())
    if done.journeys.entered or done.journeys.steps:
        typer.echo(f"entered  {done.journeys.entered:>12,}\nsteps    {done.journeys.steps:>12,}")
    for name, error in done.journeys.errors.items():
        typer.echo(f"journey {name} stands still: {error}", err=True)
    for state, contacts in done.report.count_by_end.items():
        typer.echo(f"{state:<9}{contacts:>12,}")
    if staff.receipts or staff.taken_back:
        typer.echo(f"staff told of {staff.receipts}, tasks taken back {staff.taken_back}")
    for channel, reason in done.report.closed.items():
        typer.echo(f"channel {channel} is left alone: {reason}", err=True)
    for channel, error in done.report.errors.items():
        typer.echo(f"channel {channel} broke down: {error}", err=True)
    if done.report.next_at:
        typer.echo(f"next at {done.report.next_at.isoformat()}")


def summary_of(shop: "App", campaign: str) -> dict[str, Any]:
    """Sum up how everybody of a campaign stands.

    Returns:
        State, audience, customers by fate and by reason, the same by phase, and whether the
        counts add up to the audience.
    """
    from regulars.reach.campaigns.running.service import count  # noqa: PLC0415
    from regulars.reach.campaigns.service import find_campaign  # noqa: PLC0415

    row, phases = find_campaign(shop.state, campaign), count(shop.state, campaign)
    # Of a campaign with triggers, those who have come so far.
    eligible = row.audience or sum(phase.eligible for phase in phases)
    fates: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for phase in phases:
        fates.update(phase.fates)
        reasons.update(phase.reasons)
    return {
        "campaign": campaign,
        "state": row.state,
        "reason": row.reason,
        "eligible": eligible,
        "fates": dict(fates),
        "reasons": dict(reasons),
        "spent": sum(phase.spent for phase in phases),
        "phases": phases,
        "is_balanced": all(phase.is_balanced for phase in phases)
        and eligible == sum(phase.eligible for phase in phases),
    }


@contextmanager
def _shown(shop: "App", campaign: str, *, quiet: bool) -> Generator[None]:
    """Show how far the audience is, from a thread that only reads."""
    if quiet:
        yield
        return
    ended = threading.Event()
    with stages(quiet=False) as told:

        def watch() -> None:
            while not ended.wait(LOOKS_EVERY):
                done, all_of_them = _settled(shop, campaign)
                told(f"Sending: {done:,} of {all_of_them:,}", done / max(all_of_them, 1))

        thread = threading.Thread(target=watch, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            done, all_of_them = _settled(shop, campaign)
            told(f"Sending: {done:,} of {all_of_them:,}", done / max(all_of_them, 1))


def _settled(shop: "App", campaign: str) -> tuple[int, int]:
    summary = summary_of(shop, campaign)
    open_ones = sum(summary["fates"].get(one, 0) for one in ("planned", "claimed", "waiting"))
    return sum(summary["fates"].values()) - open_ones, summary["eligible"] or 0


def _print_summary(summary: dict[str, Any], done: "Pass") -> None:
    typer.echo(f"{summary['campaign']} is {summary['state']} {summary['reason']}".rstrip())
    typer.echo(f"eligible {summary['eligible'] or 0:>12,}")
    for fate, customers in sorted(summary["fates"].items()):
        typer.echo(f"{fate:<9}{customers:>12,}")
        for name, count in sorted(summary["reasons"].items()):
            if name.startswith(f"{fate}/"):
                typer.echo(f"  {count:>19,}  {name.partition('/')[2]}")
    for channel, error in done.report.errors.items():
        typer.echo(f"channel {channel} broke down: {error}", err=True)
