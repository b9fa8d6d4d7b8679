"""`regulars reach survey`, `task` and `links`: ask customers, see what they said and clicked."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from regulars.serve.cli.stations.reach.opening import (
    ACTOR,
    AsJson,
    Folder,
    Moment,
    as_json,
    keep_anchor,
    moment_of,
    open_shop,
)

survey = typer.Typer(no_args_is_help=True, help="One question by a signed link: NPS or CSAT.")
task = typer.Typer(no_args_is_help=True, help="What low scores ask of customer service.")
links = typer.Typer(no_args_is_help=True, help="What was clicked, programs left out.")

SurveyId = Annotated[str, typer.Argument(help="Id of the survey.")]


@survey.command("put")
def put(
    files: Annotated[list[Path], typer.Argument(help="TOML files.", exists=True)],
    *,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Keep surveys; one that changed is a new version."""
    from regulars.reach.surveys.definition import read_survey  # noqa: PLC0415
    from regulars.reach.surveys.service import put_survey  # noqa: PLC0415

    shop = open_shop(folder)
    now = datetime.now(UTC)
    made = [put_survey(shop.state, read_survey(file), actor=ACTOR, now=now) for file in files]
    keep_anchor(shop)
    names = [f"{one.id}@{one.version}" for one in made]
    typer.echo(as_json({"kept": names}) if print_json else "\n".join(names))


@survey.command("list")
def list_all(*, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """List the surveys."""
    from regulars.reach.surveys.service import list_surveys  # noqa: PLC0415

    found = list_surveys(open_shop(folder).state)
    if print_json:
        typer.echo(as_json(found))
        return
    for one in found:
        typer.echo(f"{one.id:<28} {one.kind.value:<5} version {one.version}")
    if not found:
        typer.echo("no surveys; run: regulars reach survey put nps.toml")


@survey.command("results")
def results(
    survey_id: SurveyId,
    *,
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Coverage.")] = 0.95,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Show what a survey found: the score with its interval, and the counts."""
    from regulars.reach.surveys import service  # noqa: PLC0415

    found = service.results(open_shop(folder).state, survey_id, level=level)
    score = found.score
    if print_json:
        about = {
            "survey": survey_id,
            "kind": found.survey.kind.value,
            "answers": score.answers,
            "score": score.value if score.answers else None,
            "low": score.low,
            "high": score.high,
            "level": score.level,
            "by_score": found.count_by_score,
            "by_group": found.count_by_group,
            "comments": found.comments,
        }
        typer.echo(as_json(about))
        return
    if not score.answers:
        typer.echo("no answers yet")
        return
    typer.echo(
        f"{found.survey.kind.value} {score.value:+.3f}, {level:.0%} interval {score.low:+.3f} to "
        f"{score.high:+.3f}, {score.answers:,} answers"
    )
    for name, answers in found.count_by_group.items():
        typer.echo(f"  {name:<14}{answers:>9,}")


@survey.command("link")
def link(
    survey_id: SurveyId,
    *,
    customer: Annotated[str, typer.Option(help="Customer to ask.")],
    folder: Folder = Path(),
) -> None:
    """Print the signed link one customer answers a survey by."""
    from regulars.errors import NotReady  # noqa: PLC0415
    from regulars.reach.surveys.service import find_survey  # noqa: PLC0415

    shop = open_shop(folder)
    if not shop.links.base_url:
        raise NotReady("links.base_url is empty; say in regulars.toml where this server is reached")
    typer.echo(shop.links.survey_url(find_survey(shop.state, survey_id).id, customer))


@survey.command("settle")
def settle(*, now: Moment = "", folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Make facts of answers that can no longer change."""
    from regulars.reach.surveys.service import settle_answers  # noqa: PLC0415

    shop = open_shop(folder)
    written = settle_answers(shop.state, shop.lake, now=moment_of(now, shop))
    typer.echo(as_json({"facts": written}) if print_json else f"{written:,} facts")


@task.command("list")
def list_tasks(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """List the tasks that low scores opened."""
    from regulars.reach.surveys.service import tasks  # noqa: PLC0415

    found = tasks(open_shop(folder).state, closed_too=everything)
    if print_json:
        typer.echo(as_json(found))
        return
    for one in found:
        state = f"closed by {one.closed_by}" if one.closed_at else "open"
        typer.echo(f"{one.task_id} {one.customer_id} gave {one.score} in {one.survey_id}, {state}")
    if not found:
        typer.echo("no tasks")


@task.command("close")
def close(
    task_id: Annotated[str, typer.Argument(help="The task.")],
    *,
    note: Annotated[str, typer.Option(help="What was done for the customer.")],
    folder: Folder = Path(),
) -> None:
    """Close a task, with what was done."""
    from regulars.reach.surveys.service import close_task  # noqa: PLC0415

    shop = open_shop(folder)
    close_task(shop.state, task_id, note, actor=ACTOR, now=datetime.now(UTC))
    keep_anchor(shop)
    typer.echo(f"task {task_id} is closed")


@links.command("show")
def show_links(*, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Show how every destination did, and why requests did not count."""
    from regulars.reach.links.clicks.service import counts, requests_by_verdict  # noqa: PLC0415

    state = open_shop(folder).state
    found, verdicts = counts(state), requests_by_verdict(state)
    if print_json:
        typer.echo(as_json({"destinations": found, "verdicts": verdicts}))
        return
    for one in found:
        typer.echo(f"{one.clicks:>9,} clicks of {one.requests:>9,} requests  {one.url}")
    for row in verdicts:
        why = row["verdict"] or "counted"
        typer.echo(f"{row['requests']:>9,} {row['kind']:<6} {why}")


@links.command("settle")
def settle_links(*, now: Moment = "", folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Judge clicks that are old enough, and make facts of those that count."""
    from regulars.reach.links.clicks.service import settle_clicks  # noqa: PLC0415

    shop = open_shop(folder)
    written = settle_clicks(shop.state, shop.lake, now=moment_of(now, shop))
    typer.echo(as_json({"facts": written}) if print_json else f"{written:,} facts")
