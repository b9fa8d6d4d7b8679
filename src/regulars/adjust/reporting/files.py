"""The report as a file of a kind: a page, a printed page, a workbook."""

from regulars.adjust.reporting.content import Content
from regulars.adjust.reporting.page import report_page
from regulars.adjust.reporting.printing import print_page
from regulars.errors import UnknownName

KINDS = ("html", "pdf", "xlsx")


def report_file(content: Content, kind: str, *, locale: str) -> bytes:
    """Write a report as a file.

    Args:
        content: What it says.
        kind: html, pdf or xlsx.
        locale: "zh-CN" or "en".

    Returns:
        The file; a page and a workbook of the same content are the same bytes.

    Raises:
        UnknownName: There is no such kind, or there are no words in this language.
        NotReady: A PDF is wanted, and no Chromium is installed.
    """  # noqa: DOC502 (raised by print_page)
    if kind not in KINDS:
        raise UnknownName("kind of report", kind, KINDS)
    if kind == "xlsx":
        from regulars.adjust.reporting.workbook import (  # noqa: PLC0415 - slow to import
            report_workbook,
        )

        return report_workbook(content, locale=locale)
    page = report_page(content, locale=locale)
    return print_page(page) if kind == "pdf" else page.encode("utf-8")
