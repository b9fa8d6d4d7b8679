"""`regulars measure experiments`: from a draft to what was learned; and readouts of any file."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from regulars.serve.cli.files import open_table

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.measure.experiments import Finding, Readout
    from regulars.measure.experiments.keeping.planning import PowerPlan
    from regulars.measure.experiments.keeping.reading.service import Shop

ACTOR = "command line"
READ = "read"


class FileOrCommand(TyperGroup):
    """Reads a file, or lists, where the first word is no command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command for files before anything that names none."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = [READ, *args]
        return super().parse_args(ctx, args)


experiments = typer.Typer(
    cls=FileOrCommand,
    help="Experiments: create, plan, start, stop, show, look, conclude; or read those of a file.",
)

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Id = Annotated[str, typer.Argument(help="Id of the experiment.")]


@experiments.command(READ)
def read(
    customers: Annotated[
        Path | None,
        typer.Argument(
            help="CSV or Parquet file: one row per customer, with `variant`; left out: list those "
            "of the workspace."
        ),
    ] = None,
    *,
    plan: Annotated[
        Path | None, typer.Option(help="TOML or JSON file with design and metrics.")
    ] = None,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Read an experiment of a file, or say why it must not be read; or list the workspace's.

    The word `read` may be left out.
    """
    if customers is None:
        _list_all(folder, as_json=as_json)
        return
    from regulars.errors import InputError  # noqa: PLC0415
    from regulars.measure.experiments import read_out  # noqa: PLC0415 - slow to import
    from regulars.measure.experiments.plan_file import read_plan  # noqa: PLC0415

    if plan is None:
        raise InputError(f"{customers} was given without a plan; name its file with --plan")
    settled, progress = read_plan(plan)
    readout = read_out(open_table(customers), settled, progress)
    if as_json:
        told = {"is_refused": readout.is_refused} | asdict(readout)
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        _print_readout(readout)


@experiments.command("create")
def create(
    file: Annotated[Path, typer.Argument(help="TOML or JSON of one experiment.", exists=True)],
    *,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Keep a draft: a new one, or another form of one that has not started."""
    from regulars.measure.experiments.keeping.definition import (  # noqa: PLC0415 - slow
        read_definition,
    )
    from regulars.measure.experiments.keeping.service import put_experiment  # noqa: PLC0415

    shop, now = _open(folder), datetime.now(UTC)
    kept = put_experiment(shop.state, read_definition(file), actor=ACTOR, now=now)
    one = kept.definition
    names = ", ".join(f"{name} {share:.0%}" for name, share in one.design.items())
    _say({"experiment": one.told(), "stand": kept.stand}, f"{one.id} is {kept.stand}: {names}",
         as_json=as_json)  # fmt: skip


@experiments.command("plan")
def plan_one(name: Id, *, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Say how many customers an experiment needs and how many days that takes."""
    from regulars.measure.experiments.keeping.reading.service import (  # noqa: PLC0415 - slow
        power_plan,
    )
    from regulars.measure.experiments.keeping.record import plain  # noqa: PLC0415
    from regulars.measure.experiments.keeping.service import find_experiment  # noqa: PLC0415

    shop = _open(folder)
    definition = find_experiment(shop.state, name).definition
    found = power_plan(_reading(shop), definition, now=datetime.now(UTC))
    _say({"experiment_id": name, "plan": plain(found)}, _plan_words(found), as_json=as_json)


@experiments.command("start")
def start_one(
    name: Id,
    *,
    anyway: Annotated[
        str, typer.Option(help="Why it starts though too few customers will come; kept.")
    ] = "",
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Let it take customers; from then on nothing about it can be changed."""
    from regulars.measure.experiments.keeping.reading.service import start  # noqa: PLC0415 - slow

    shop = _open(folder)
    kept = start(_reading(shop), name, actor=ACTOR, now=datetime.now(UTC), anyway=anyway)
    told = {"experiment_id": name, "stand": kept.stand, "started_at": kept.started_at}
    _say(told, f"{name} is {kept.stand}", as_json=as_json)


@experiments.command("stop")
def stop_one(
    name: Id,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Take no more customers; a server gives variants for a second more at most."""
    from regulars.measure.experiments.keeping.service import (  # noqa: PLC0415 - slow
        stop_experiment,
    )

    shop = _open(folder)
    kept = stop_experiment(shop.state, name, reason=reason, actor=ACTOR, now=datetime.now(UTC))
    told = {"experiment_id": name, "stand": kept.stand, "stopped_at": kept.stopped_at}
    _say(told, f"{name} is {kept.stand}", as_json=as_json)


@experiments.command("show")
def show_one(name: Id, *, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Show how far it has come and what it says, or why no effect may be shown; takes no look."""
    from regulars.measure.experiments.keeping.reading.service import show  # noqa: PLC0415 - slow
    from regulars.measure.experiments.keeping.record import plain  # noqa: PLC0415
    from regulars.measure.experiments.keeping.service import (  # noqa: PLC0415
        changes_of,
        find_experiment,
    )

    shop = _open(folder)
    kept = find_experiment(shop.state, name)
    shown = show(_reading(shop), kept, now=datetime.now(UTC))
    if as_json:
        told = plain(kept) | {
            "definition": kept.definition.told(),
            "readout": plain(shown) | {"is_refused": shown.is_refused},
            "changes": plain(changes_of(shop.state, name)),
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo(f"{name} is {kept.stand}: {kept.definition.hypothesis}")
    for variant, number in shown.counts.items():
        typer.echo(f"{variant:<24}{number:>12,} customers")
    if shown.days_left is not None and shown.planned:
        typer.echo(f"{shown.planned:,} planned, {shown.days_left:.0f} days left")
    for refusal in shown.refusals:
        typer.echo(f"not shown ({refusal.gate}): {refusal.says}")
    if shown.due and not shown.refusals:
        typer.echo(f"look {shown.due} is due")
    for one in shown.findings:
        typer.echo(_finding_words(one))
    if kept.conclusion:
        ended = kept.conclusion
        typer.echo(f"{ended.decision} {ended.variant}: {ended.says}")


@experiments.command("look")
def look_one(name: Id, *, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Take the look that is due, of one read once or at planned looks; what it says is kept."""
    from regulars.measure.experiments.keeping.reading.service import (  # noqa: PLC0415 - slow
        take_look,
    )
    from regulars.measure.experiments.keeping.record import plain  # noqa: PLC0415

    shop = _open(folder)
    shown = take_look(_reading(shop), name, actor=ACTOR, now=datetime.now(UTC))
    words = "\n".join(_finding_words(one) for one in shown.findings)
    _say({"experiment_id": name, "readout": plain(shown)}, words, as_json=as_json)


@experiments.command("conclude")
def conclude_one(
    name: Id,
    *,
    decision: Annotated[str, typer.Option(help="adopt, keep or nothing_learned.")],
    says: Annotated[str, typer.Option(help="What was learned; it is kept among learnings.")],
    variant: Annotated[str, typer.Option(help="The variant adopted.")] = "",
    anyway: Annotated[
        str, typer.Option(help="Why a variant is adopted that was not told from control; kept.")
    ] = "",
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Decide what follows from a stopped experiment."""
    from regulars.errors import UnknownName  # noqa: PLC0415
    from regulars.measure.experiments.keeping.reading.service import (  # noqa: PLC0415 - slow
        conclude,
    )
    from regulars.measure.experiments.keeping.record import Decision, plain  # noqa: PLC0415

    if decision not in list(Decision):
        raise UnknownName("decision", decision, [one.value for one in Decision])
    shop = _open(folder)
    found = conclude(
        _reading(shop),
        name,
        Decision(decision),
        variant=variant,
        says=says,
        anyway=anyway,
        actor=ACTOR,
        now=datetime.now(UTC),
    )
    words = f"{name}: {found.decision} {found.variant}".rstrip()
    _say({"conclusion": plain(found)}, words, as_json=as_json)


@experiments.command("drop")
def drop_one(name: Id, *, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Throw a draft away."""
    from regulars.measure.experiments.keeping.service import drop_draft  # noqa: PLC0415 - slow

    drop_draft(_open(folder).state, name, actor=ACTOR, now=datetime.now(UTC))
    _say({"experiment_id": name, "dropped": True}, f"{name} is gone", as_json=as_json)


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import

    return open_app(folder)


def _reading(app: "App") -> "Shop":
    from regulars.measure.experiments.keeping.reading.service import Shop  # noqa: PLC0415 - slow

    loop, zone = app.settings.loop, app.settings.retailer.zone
    return Shop(app.engine, app.state, zone, loop.margin_rate, loop.global_holdout)


def _say(told: dict[str, Any], words: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(told, ensure_ascii=False) if as_json else words)


def _plan_words(found: "PowerPlan") -> str:
    each = ", ".join(f"{number:,} {name}" for name, number in found.by_variant.items())
    days = "too few come"
    if found.days is not None:
        days = f"{found.days} days at {found.per_day:.0f} a day"
    return "\n".join([f"{found.customers:,} customers ({each}), {days}", found.says]).strip()


def _finding_words(one: "Finding") -> str:
    claim = "differs" if one.is_claim else "not told from no difference"
    return (
        f"{one.metric}, {one.variant}: {one.effect:+.6g} [{one.low:.6g}, {one.high:.6g}], "
        f"adjusted p {one.adjusted_p_value:.4g}: {claim}"
    )


def _list_all(folder: Path, *, as_json: bool) -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from regulars.measure.experiments.keeping.record import plain  # noqa: PLC0415 - slow
    from regulars.measure.experiments.keeping.service import (  # noqa: PLC0415
        counts_by_experiment,
        list_kept,
    )
    from regulars.measure.running import comparisons  # noqa: PLC0415

    app = _open(folder)
    today = datetime.now(UTC).astimezone(ZoneInfo(app.settings.retailer.zone)).date()
    found, kept = comparisons(app.engine, today=today), list_kept(app.state)
    counts = counts_by_experiment(app.state)
    if as_json:
        told = {
            "experiments": [asdict(one) for one in found],
            "written": [
                plain(one)
                | {
                    "definition": one.definition.told(),
                    "counts": counts.get(one.definition.id, {}),
                }
                for one in kept
            ],
        }
        typer.echo(json.dumps(told, ensure_ascii=False, default=str))
        return
    for own in kept:
        number = sum(counts.get(own.definition.id, {}).values())
        typer.echo(f"{own.definition.id}: {own.stand}, {number:,} customers; {own.definition.name}")
    if not found and not kept:
        typer.echo("no experiment yet; run: regulars measure experiments create FILE.toml")
    for one in found:
        arms = ", ".join(f"{arm.customers:,} {arm.name}" for arm in one.arms)
        margin = one.margin
        said = f"not shown ({one.gate})"
        if margin and margin.estimate is not None:
            said = f"margin {margin.estimate:+.2f} [{margin.low:.2f}, {margin.high:.2f}]"
        typer.echo(f"{one.kind} {one.name}: {one.state}, {arms}; {said}")


def _print_readout(readout: "Readout") -> None:
    for variant, number in readout.counts.items():
        typer.echo(f"{variant:<24}{number:>12,} customers")
    for refusal in readout.refusals:
        typer.echo(f"not shown ({refusal.gate}): {refusal.says}")
    for one in readout.findings:
        typer.echo(_finding_words(one))
