"""The report of a week, month, quarter or year, to take away as HTML, PDF or workbook."""

from threading import Lock

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from regulars.adjust.reporting.files import report_file
from regulars.adjust.reporting.service import gather
from regulars.adjust.reporting.span import last_week, span_of
from regulars.errors import InputError
from regulars.measure.scorecard.service import last_whole_day
from regulars.serve.http.door.guard import Caller

router = APIRouter()
RETRY_SECONDS = 20
"""When to ask again for a page while another is printed; most take less."""
BUSY = {
    "en": "Another report is being printed. Try again in a moment, or take it as HTML.",
    "zh-CN": "另一份报告正在打印，请稍后重试，或下载 HTML。",
}
_PRINTER = Lock()
"""Held while a browser prints: each one costs hundreds of megabytes and up to two minutes."""
KINDS = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@router.get("/api/measure/report", tags=["measure"])
def read_report(request: Request, week: str = "", format: str = "html") -> Response:  # noqa: A002
    """The report of a week, month, quarter or year, as a file; the last week by default."""
    caller: Caller = request.state.caller
    if format not in KINDS:
        raise InputError(f"format is {format!r}, must be html, pdf or xlsx")
    workspace = caller.workspace
    newest = last_whole_day(caller.now, zone=workspace.settings.retailer.zone)
    name = week.strip() or last_week(newest)
    period = span_of(name)
    if period.last > newest:
        raise InputError(
            f"{name} ends {period.last}, which is not over yet; ask for an earlier one"
        )
    is_printed = format == "pdf"
    if is_printed and not _PRINTER.acquire(blocking=False):
        error = {"status": 429, "message": BUSY[caller.locale]}
        return JSONResponse({"error": error}, 429, {"retry-after": str(RETRY_SECONDS)})
    try:
        with workspace.reading() as engine:
            content = gather(engine, workspace.state, workspace.settings, name=name, period=period)
        body = report_file(content, format, locale=caller.locale)
    finally:
        if is_printed:
            _PRINTER.release()
    # To take away, not to open here: its scripts are inline, which this site forbids.
    headers = {"content-disposition": f'attachment; filename="report-{name}.{format}"'}
    return Response(body, media_type=KINDS[format], headers=headers)
