"""Begin a journey from a template: as files on disk, or kept in a workspace with its contents."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regulars.reach.journeys.templates.catalogue import Template, find_template
from regulars.reach.journeys.templates.fitting import Fitted, fit, with_versions

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.reach.journeys.templates.service import Checked

SURVEY = {"id": "after-purchase", "kind": "csat", "service_below": 3}


def check_template(app: "App", template: Template, *, now: datetime) -> "list[Checked]":
    """Look for everything a template rests on in a workspace."""
    from regulars.reach.journeys.templates.service import check_needs  # noqa: PLC0415 - slow

    return check_needs(
        app.engine, app.state, template, channels=len(app.settings.channels), now=now
    )


def keep_contents(
    app: "App",
    name: str,
    *,
    channels: Sequence[str],
    offer: str,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    """Fit a template to a workspace, and keep the contents and the survey it speaks with.

    Args:
        app: The open workspace.
        name: The template.
        channels: Channels its messages take, the preferred one first.
        offer: Offer they carry; "" for none.
        actor: Who keeps them.
        now: The moment, aware.

    Returns:
        The journey as a file says it, naming the versions kept.

    Raises:
        InputError: It lacks a channel or an offer.
        UnknownName: There is no such template.
    """
    from regulars.reach.content.keeping.files import content_from  # noqa: PLC0415
    from regulars.reach.content.service import put_content  # noqa: PLC0415 - slow to import
    from regulars.reach.surveys.definition import survey_from  # noqa: PLC0415
    from regulars.reach.surveys.service import put_survey  # noqa: PLC0415

    fitted = _fitted(app, find_template(name), channels, offer)
    if any("survey" in content for content in fitted.contents):
        put_survey(app.state, survey_from(SURVEY, "survey"), actor=actor, now=now)
    kept = [
        put_content(app.state, content_from(content, "content"), actor=actor, at=now)
        for content in fitted.contents
    ]
    return with_versions(fitted.journey, kept)


def write_files(
    app: "App", name: str, file: Path, *, channels: Sequence[str], offer: str
) -> list[Path]:
    """Write a template as files people edit: the journey, and its contents in a folder beside it.

    Args:
        app: The open workspace.
        name: The template.
        file: File of the journey, TOML.
        channels: Channels its messages take.
        offer: Offer they carry; "" for none.

    Returns:
        The files written, the journey first.

    Raises:
        InputError: It lacks a channel or an offer.
        UnknownName: There is no such template.
    """
    import tomli_w  # noqa: PLC0415 - needed here only

    fitted = _fitted(app, find_template(name), channels, offer)
    beside = file.parent / f"{file.stem}.contents"
    beside.mkdir(parents=True, exist_ok=True)
    written = {file: fitted.journey}
    written |= {beside / f"{one['id']}.toml": one for one in fitted.contents}
    for path, said in written.items():
        path.write_text(tomli_w.dumps(said), encoding="utf-8")
    return list(written)


def _fitted(app: "App", template: Template, channels: Sequence[str], offer: str) -> Fitted:
    known = channels or list(app.settings.channels)[:1]
    return fit(template, channels=known, offer=offer, locale=app.settings.retailer.locale)
