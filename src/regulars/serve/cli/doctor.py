"""`regulars doctor`: check a workspace and the machine, and say what to mend."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from regulars.serve.cli.exits import ExitCode
from regulars.serve.doctor import Level, examine

app = typer.Typer()


@app.command()
def doctor(
    *,
    folder: Annotated[Path, typer.Option("--dir", help="The workspace folder.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a workspace and the machine, and say what to mend.

    Ends with exit code 1 when a check failed.
    """
    findings = examine(folder)
    is_fit = all(finding.level is not Level.FAIL for finding in findings)
    if as_json:
        checks = [asdict(finding) for finding in findings]
        typer.echo(json.dumps({"ok": is_fit, "checks": checks}, ensure_ascii=False))
    else:
        for finding in findings:
            typer.echo(f"{finding.level:<5} {finding.check:<12} {finding.says}")
            if finding.todo:
                typer.echo(f"{'':<18} -> {finding.todo}")
    if not is_fit:
        raise typer.Exit(ExitCode.FAILED_CHECK)
