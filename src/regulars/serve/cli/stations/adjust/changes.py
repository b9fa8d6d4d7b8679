"""`regulars adjust`: what was changed and why, alerts, channels left alone, what was learned."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regulars.adjust.autotune.service import Unlearned
    from regulars.app import App

ACTOR = "command line"

app = typer.Typer()

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
MOST_NUMBER = 2**31 - 1
Turns = Annotated[int, typer.Option(min=1, max=520, help="For how many turns.")]
Channel = Annotated[str, typer.Argument(help="The channel.")]


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import

    return open_app(folder)


def _print(told: dict[str, Any]) -> None:
    typer.echo(json.dumps(told, ensure_ascii=False, default=str))


@app.command("log")
def log(
    *,
    turn: Annotated[int, typer.Option(min=0, max=MOST_NUMBER, help="One turn only.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="Most rows to give.")] = 200,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what was changed, newest first, each with what it was before and the evidence."""
    from regulars.adjust.review.service import change_log  # noqa: PLC0415 - slow to import

    rows = change_log(_open(folder).engine, turn=turn, limit=limit)
    if as_json:
        _print({"changes": rows})
        return
    if not rows:
        typer.echo("nothing was changed yet; two turns and an outcome window come first")
    for row in rows:
        before = "nothing" if row["before"] is None else f"{row['before']:.4g}"
        cited = ", ".join(row["evidence"].get("measured_turns", {}))
        why = f"turn {cited}" if cited else row["evidence"].get("reason", "")
        typer.echo(
            f"turn {row['turn']}: {row['subject']} {before} -> {row['after']:.4g}  because of {why}"
        )


@app.command("alerts")
def alerts(
    *,
    turns: Annotated[int, typer.Option(min=1, max=MOST_NUMBER, help="Turns to look back.")] = 4,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show shares of channels that left their limits, and which channels are left alone."""
    from regulars.adjust.alerts.service import alert_tasks  # noqa: PLC0415 - slow to import
    from regulars.adjust.review.service import alerts_since, holds_now  # noqa: PLC0415 - slow

    shop = _open(folder)
    found, held = alerts_since(shop.engine, turns=turns), holds_now(shop.engine)
    tasks = [asdict(one) for one in alert_tasks(shop.state)]
    if as_json:
        _print({"alerts": found, "holds": held, "tasks": tasks})
        return
    if not found and not held:
        typer.echo("every channel is as usual")
    for row in found:
        seen_, usual, low, high = (
            f"{row[name]:.4g}" if row["kind"] in {"cost", "effect"} else f"{row[name]:.2%}"
            for name in ("share", "usual", "low", "high")
        )
        typer.echo(
            f"turn {row['measured_turn']}: {row['channel']} {row['kind']} {seen_}, "
            f"usually {usual} ({low} to {high}): "
            f"{row['gravity']}, {row['action'].replace('_', ' ')}"
        )
    for task in tasks:
        typer.echo(f"waits for a person: {task['message']}")
    for row in held:
        typer.echo(
            f"{row['channel']} is left alone until turn {row['until_turn']} ({row['source']}: "
            f"{row['reason']}); to use it now: regulars adjust release {row['channel']}"
        )


@app.command("hold")
def hold(
    channel: Channel,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is shown and kept.")],
    turns: Turns = 4,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Leave a channel alone for some turns, from the next one on."""
    _say(folder, channel, is_held=True, turns=turns, reason=reason, as_json=as_json)


@app.command("release")
def release(
    channel: Channel,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is shown and kept.")],
    turns: Turns = 4,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Use a channel for some turns whatever alerts say."""
    _say(folder, channel, is_held=False, turns=turns, reason=reason, as_json=as_json)


@app.command("seen")
def seen(channel: Channel, *, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Say that an alert that waits for a person was looked at; "*" for the effect of all."""
    from regulars.adjust.alerts import service  # noqa: PLC0415 - slow to import

    service.seen(_open(folder).state, channel, actor=ACTOR, now=datetime.now(UTC))
    if as_json:
        _print({"channel": channel, "is_seen": True})
    else:
        typer.echo(f"the alert about {channel} no longer waits for anybody")


@app.command("unlearn")
def unlearn(
    turn: Annotated[int, typer.Argument(min=1, max=MOST_NUMBER, help="The turn.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; it is shown and kept.")],
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Take back what was learned from a turn: all is learned anew without it."""
    from regulars.adjust.autotune import service  # noqa: PLC0415 - slow to import

    state = _open(folder).state
    service.unlearn(state, turn, reason=reason, actor=ACTOR, now=datetime.now(UTC))
    _tell_unlearned(service.unlearned(state), as_json=as_json)


@app.command("relearn")
def relearn(
    turn: Annotated[int, typer.Argument(min=1, max=MOST_NUMBER, help="The turn.")],
    *,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Let a turn that was left out count again."""
    from regulars.adjust.autotune import service  # noqa: PLC0415 - slow to import

    state = _open(folder).state
    service.relearn(state, turn, actor=ACTOR, now=datetime.now(UTC))
    _tell_unlearned(service.unlearned(state), as_json=as_json)


def _tell_unlearned(left_out: "Sequence[Unlearned]", *, as_json: bool) -> None:
    if as_json:
        _print({"left_out": [asdict(one) for one in left_out]})
        return
    for one in left_out:
        typer.echo(f"turn {one.turn} is left out: {one.reason}")
    typer.echo("the next turn learns anew; regulars adjust log tells what it changed")


@app.command("undo")
def undo(channel: Channel, *, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Take back what was said of a channel: the loop chooses again."""
    from regulars.adjust.alerts.service import take_back  # noqa: PLC0415 - slow to import

    take_back(_open(folder).state, channel, actor=ACTOR, now=datetime.now(UTC))
    if as_json:
        _print({"channel": channel, "said": None})
    else:
        typer.echo(f"the loop decides about {channel} again, from the next turn on")


@app.command("review")
def review(
    turn: Annotated[int, typer.Argument(min=1, max=MOST_NUMBER, help="The turn.")],
    *,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what a turn planned, did, found, and what was changed because of it."""
    from regulars.adjust.review.service import cycle_of  # noqa: PLC0415 - slow to import

    found = cycle_of(_open(folder).engine, turn)
    if as_json:
        _print(asdict(found))
        return
    plan, done, check, act = found.plan, found.do, found.check, found.act
    typer.echo(f"plan: {plan.chosen} chosen, {plan.expected_margin:.2f} margin expected")
    fates = ", ".join(f"{fate} {number}" for fate, number in done.customers_by_fate.items())
    typer.echo(f"do: {fates or 'nothing yet'}; contacts cost {done.cost}")
    if check.measured_by is None:
        typer.echo("check: not measured yet; the next turn does when the outcome window has passed")
    elif check.measured is None:
        typer.echo("check: measured, but nothing may be read from it")
    else:
        typer.echo(
            f"check: {check.measured:.2f} measured ({check.low:.2f} to {check.high:.2f}) of "
            f"{check.predicted:.2f} predicted; {len(check.surprises)} of {check.campaigns} "
            f"campaigns surprised, {len(check.alerts)} alerts"
        )
    typer.echo(
        f"act: {len(act.changes)} beliefs and parameters moved, {len(act.holds)} channels held"
    )


@app.command("learnings")
def learnings(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Show what has been learned of each offer and channel, and the experiments it rests on."""
    from regulars.adjust.review.service import learnings as found_learnings  # noqa: PLC0415 - slow
    from regulars.measure.experiments.keeping.record import plain  # noqa: PLC0415
    from regulars.measure.experiments.keeping.service import concluded  # noqa: PLC0415

    shop = _open(folder)
    found, ended = found_learnings(shop.engine), concluded(shop.state)
    if as_json:
        told = [plain(one) for one in ended]
        _print({"learnings": [asdict(one) for one in found], "experiments": told})
        return
    for end in ended:
        typer.echo(f"{end.experiment_id}: {end.decision} {end.variant}; {end.says}")
    if not found:
        typer.echo("nothing was learned yet; two turns and an outcome window come first")
    for one in found:
        cited = ", ".join(name for cite in one.cites for name in cite.campaigns) or "-"
        before = "nothing" if one.first is None else f"{one.first:.3f}"
        typer.echo(f"{one.subject}: {before} -> {one.now:.3f} orders per contact; rests on {cited}")


def _say(
    folder: Path, channel: str, *, is_held: bool, turns: int, reason: str, as_json: bool
) -> None:
    from regulars.adjust.alerts.holding import Word  # noqa: PLC0415 - slow to import
    from regulars.adjust.alerts.service import say  # noqa: PLC0415 - slow to import
    from regulars.journal import next_turn  # noqa: PLC0415 - slow to import

    opened = _open(folder)
    turn = next_turn(opened.state)
    word = Word(channel, is_held, turn + turns, reason)
    say(
        opened.state,
        word,
        turn=turn,
        channels=tuple(opened.settings.channels),
        actor=ACTOR,
        now=datetime.now(UTC),
    )
    if as_json:
        _print({
            "channel": channel,
            "is_held": is_held,
            "from_turn": turn,
            "until_turn": turn + turns,
        })
        return
    what = "left alone" if is_held else "used whatever alerts say"
    typer.echo(f"{channel} is {what} from turn {turn} until turn {turn + turns}")
