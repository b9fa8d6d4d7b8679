"""The report of a week or a month, to take away as HTML or PDF."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from regulars.adjust.reporting.page import report_page
from regulars.adjust.reporting.printing import print_page
from regulars.adjust.reporting.service import gather
from regulars.adjust.reporting.span import last_week, span_of
from regulars.errors import InputError
from regulars.measure.scorecard.service import last_whole_day
from regulars.serve.http.door.guard import Caller

router = APIRouter()
KINDS = {"html": "text/html; charset=utf-8", "pdf": "application/pdf"}


@router.get("/api/measure/report", tags=["measure"])
def read_report(request: Request, week: str = "", format: str = "html") -> Response:  # noqa: A002
    """The report of a week (2026-W10) or a month (2026-03), as a file; the last week by default."""
    caller: Caller = request.state.caller
    if format not in KINDS:
        raise InputError(f"format is {format!r}, must be html or pdf")
    workspace = caller.workspace
    newest = last_whole_day(caller.now, zone=workspace.settings.retailer.zone)
    name = week.strip() or last_week(newest)
    period = span_of(name)
    if period.last > newest:
        raise InputError(
            f"{name} ends {period.last}, which is not over yet; ask for an earlier one"
        )
    with workspace.reading() as engine:
        content = gather(engine, workspace.state, workspace.settings, name=name, period=period)
    page = report_page(content, locale=caller.locale)
    body = print_page(page) if format == "pdf" else page.encode("utf-8")
    # To take away, not to open here: its scripts are inline, which this site forbids.
    headers = {"content-disposition": f'attachment; filename="report-{name}.{format}"'}
    return Response(body, media_type=KINDS[format], headers=headers)
