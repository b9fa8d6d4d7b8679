"""Report: what a demo did and what it caused, for a reader and for a program."""

from regulars.rehearse.report.contract import Report, check_report
from regulars.rehearse.report.writing import write_report

__all__ = ["Report", "check_report", "write_report"]
