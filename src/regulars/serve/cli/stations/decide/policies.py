"""`regulars decide policy`: stage a policy, promote it on evidence, take it back."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regulars.adjust.policies.service import Staged
    from regulars.app import App

ACTOR = "command line"

policy = typer.Typer(no_args_is_help=True, help="Policies on their way: shadow, canary, live.")

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Name = Annotated[str, typer.Argument(help="The policy.")]


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import

    return open_app(folder)


@policy.command("list")
def list_policies(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Show every policy, and what the log says of those that watch."""
    from regulars.adjust.policies.service import judged, policies  # noqa: PLC0415 - slow
    from regulars.measure.off_policy import Stage  # noqa: PLC0415

    shop, now = _open(folder), datetime.now(UTC)
    told = []
    for one in policies(shop.state):
        found = None
        if one.stage is Stage.SHADOW:
            found = judged(shop.engine, shop.state, one, shop.settings.loop, now=now)
        told.append({"policy": asdict(one), "judged": asdict(found) if found else None})
        if not as_json:
            _print(one)
            if found:
                judgement = found.judgement
                says = found.says or "; ".join(judgement.refusals if judgement else ())
                if judgement and judgement.gain:
                    gain = judgement.gain
                    says = (
                        f"would earn {gain.value:+.4g} [{gain.low:+.4g}, {gain.high:+.4g}] a "
                        f"decision beside the {judgement.logged_value:.4g} of what ran"
                    )
                typer.echo(f"  {says}")
    if as_json:
        typer.echo(json.dumps({"policies": told}, ensure_ascii=False))
    elif not told:
        typer.echo("no policy was staged; run: regulars decide policy stage NAME")


@policy.command("stage")
def stage(
    name: Name,
    *,
    choosing: Annotated[
        str, typer.Option(help="best_value, soft_value, epsilon_greedy, thompson or lin_ucb.")
    ] = "best_value",
    temperature: Annotated[
        float, typer.Option(help="For soft_value: value that makes an action e times as likely.")
    ] = 1.0,
    epsilon: Annotated[
        float,
        typer.Option(help="For epsilon_greedy: share of decisions in which anything may come."),
    ] = 0.1,
    width: Annotated[
        float,
        typer.Option(
            help="For thompson and lin_ucb: how much what is not known counts; 0 for none."
        ),
    ] = 1.0,
    share: Annotated[float, typer.Option(help="Share of customers its canary serves.")] = 0.05,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Put a new policy into the shadow: it decides for nobody, the log is asked about it."""
    from regulars.adjust.policies.service import stage_policy  # noqa: PLC0415 - slow to import
    from regulars.decide.policies.rule import Choosing, Rule  # noqa: PLC0415
    from regulars.errors import UnknownName  # noqa: PLC0415

    if choosing not in list(Choosing):
        raise UnknownName("rule", choosing, [one.value for one in Choosing])
    rule = Rule(name, Choosing(choosing), temperature, epsilon, width)
    shop = _open(folder)
    _say(stage_policy(shop.state, rule, share=share, actor=ACTOR, now=datetime.now(UTC)), as_json)


@policy.command("promote")
def promote(name: Name, *, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Let it go one stage on; refused, with the reason, when the evidence is not there."""
    from regulars.adjust.policies.service import promote_policy  # noqa: PLC0415 - slow to import

    shop = _open(folder)
    found = promote_policy(
        shop.engine, shop.state, name, shop.settings.loop, actor=ACTOR, now=datetime.now(UTC)
    )
    _say(found, as_json)


@policy.command("rollback")
def rollback(
    name: Name,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Take it back at once: it decides for nobody; where none is live, the loop's policy does."""
    from regulars.adjust.policies.service import roll_back_policy  # noqa: PLC0415 - slow

    state = _open(folder).state
    _say(roll_back_policy(state, name, reason=reason, actor=ACTOR, now=datetime.now(UTC)), as_json)


def _say(one: "Staged", as_json: bool) -> None:  # noqa: FBT001 - what the option says
    if as_json:
        typer.echo(json.dumps(asdict(one), ensure_ascii=False))
    else:
        _print(one)


def _print(one: "Staged") -> None:
    last = one.moves[-1]
    typer.echo(f"{one.rule.name}: {one.stage}, {one.rule.choosing}; {last.reason}")
