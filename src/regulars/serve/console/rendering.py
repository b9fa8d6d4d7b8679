"""Pages made of templates: words, money, numbers and days in the reader's language."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from regulars.charts.tables import chart_table
from regulars.govern.access import Role, covers
from regulars.serve.console import amounts, words
from regulars.serve.console.amounts import Amount
from regulars.serve.console.catalogue import translations
from regulars.serve.console.navigation import ROOMS
from regulars.serve.console.refusing.telling import refusal
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.door.workspaces import Site


class Pages:
    """Makes pages for one site.

    Args:
        site: The workspaces served.
    """

    def __init__(self, site: Site) -> None:
        """Load the templates."""
        self._site = site
        self._by_locale = {locale: _environment(locale) for locale in ("en", "zh-CN")}

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """Make a page.

        Args:
            request: The request; its caller decides language and workspace.
            template: Name of the template.
            status: HTTP status code.
            **values: What the template shows.

        Returns:
            The page.
        """
        caller: Caller = request.state.caller
        html = (
            self
            ._by_locale[caller.locale]
            .get_template(template)
            .render(
                me=caller,
                site=self._site,
                retailer=caller.workspace.settings.retailer,
                path=request.url.path,
                method=request.method,
                may=_may(caller),
                said=request.query_params.get("said", ""),
                **values,
            )
        )
        return HTMLResponse(html, status)


def caller_of(request: Request) -> Caller:
    """Give who asks, and in which workspace."""
    caller: Caller = request.state.caller
    return caller


def is_part(request: Request) -> bool:
    """Tell whether a script asks for a part of a page, not for a page."""
    return request.headers.get("hx-request") == "true"


def say(request: Request, text: str) -> str:
    """Translate a text into the language of a request.

    Args:
        request: The request.
        text: The English text.

    Returns:
        The text itself when there is no translation.
    """
    return translations(request.state.caller.locale).gettext(text)


def _may(caller: Caller) -> Callable[[str], bool]:
    def may(least: str) -> bool:
        return caller.session is not None and covers(caller.session.user.role, Role(least))

    return may


def _environment(locale: str) -> Environment:
    found = translations(locale)
    environment = Environment(
        loader=PackageLoader("regulars.serve.console"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(found, newstyle=True)  # type: ignore[attr-defined]
    babel = locale.replace("-", "_")
    environment.globals |= {"words": words, "rooms": ROOMS}
    environment.filters |= {
        "word": lambda code, names: (
            found.gettext(text) if (text := words.word(names, code)) else ""
        ),
        "money": pass_context(_in_currency(amounts.money, babel)),
        "change": pass_context(_in_currency(amounts.change, babel)),
        "number": lambda value: amounts.number(value, babel),
        "rounded": lambda value, places, sign=False: amounts.rounded(
            value, babel, places, sign=sign
        ),
        "digits": lambda value, count, sign=False: amounts.digits(value, babel, count, sign=sign),
        "decimal": lambda value: amounts.number(value, babel, form="#,##0.0"),
        "share": lambda value, sign=False: amounts.share(value, babel, sign=sign),
        "chart_table": chart_table,
        "refused": lambda text: refusal(text, locale),
        "day": _day,
        "moment": pass_context(_moment),
        "clock": pass_context(_clock),
        "exact": pass_context(_exact),
        "lasting": lambda seconds: format_timedelta(
            timedelta(seconds=seconds), locale=babel, threshold=1.2
        ),
        "size": lambda count: amounts.size(count, babel),
        "json": _json,
        "json_line": lambda value: json.dumps(value, ensure_ascii=False),
    }
    return environment


def _in_currency(form: Callable[[Amount, str, str], str], babel: str) -> Callable[..., str]:
    def formed(context: Context, value: Amount) -> str:
        return form(value, context["retailer"].currency, babel)

    return formed


def _day(value: date | str | None) -> str:
    return str(value)[:10] if value else "–"


def _moment(context: Context, value: datetime | str | None) -> str:
    return _local(context, value, "%Y-%m-%d %H:%M")


def _clock(context: Context, value: datetime | str | None) -> str:
    return _local(context, value, "%m-%d %H:%M:%S")


def _exact(context: Context, value: datetime | str | None) -> str:
    return _local(context, value, "%Y-%m-%d %H:%M:%S")


def _local(context: Context, value: datetime | str | None, form: str) -> str:
    if not value:
        return "–"
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(ZoneInfo(context["retailer"].zone)).strftime(form)


def _json(value: Mapping[str, Any]) -> Markup:
    """Write chart options where a script element may hold them: nothing in it can close it."""
    text = json.dumps(value, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704
