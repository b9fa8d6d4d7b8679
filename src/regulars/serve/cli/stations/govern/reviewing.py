"""`regulars govern copycheck`: what a text may not say, with article and suggestion."""

import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from regulars.errors import InputError
from regulars.serve.cli.exits import ExitCode
from regulars.serve.cli.files import text_or_input

if TYPE_CHECKING:
    from regulars.govern.copycheck import Copy, Finding
    from regulars.govern.copycheck.service import Known

ACTOR = "command line"
ZONE = "Asia/Shanghai"
app = typer.Typer()

Folder = Annotated[
    Path | None,
    typer.Option("--dir", help="A workspace: its evidence, names and decisions count too."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one finding as JSON per line.")]


@app.command("copycheck")
def copycheck(
    file: Annotated[Path, typer.Argument(help="One text per line; - reads the input.")],
    *,
    is_whole: Annotated[
        bool, typer.Option("--whole", help="The file is one text, such as an e-mail.")
    ] = False,
    channel: Annotated[
        str, typer.Option(help="sms or email: sender and way to refuse must be in each text.")
    ] = "",
    category: Annotated[
        str, typer.Option(help="What is sold: health_food, medical_device, otc, drug, alcohol...")
    ] = "",
    market: Annotated[str, typer.Option(help="Whose law: cn or eu.")] = "cn",
    product: Annotated[str, typer.Option(help="Product id, for evidence and decisions.")] = "",
    as_of: Annotated[str, typer.Option(help="Day, YYYY-MM-DD; today when left out.")] = "",
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", help="TOML of evidence and names.", exists=True),
    ] = None,
    is_transactional: Annotated[
        bool, typer.Option("--transactional", help="An order or service message.")
    ] = False,
    is_machine_made: Annotated[
        bool, typer.Option("--machine-made", help="A machine wrote it: it must say so.")
    ] = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Find what texts may not say. Not legal advice.

    Ends with exit code 1 when a finding blocks or wants evidence, 0 when none does (findings for a
    person and notices may be there), 2 when the file or an option cannot be used.
    """
    from regulars.govern.copycheck import Copy  # noqa: PLC0415
    from regulars.govern.copycheck.rulebook.loading import require_known  # noqa: PLC0415
    from regulars.govern.copycheck.service import review  # noqa: PLC0415

    require_known(channel=channel, category=category, market=market)
    text = text_or_input(file)
    lines = [(1, text)] if is_whole else list(enumerate(text.split("\n"), 1))
    about = (channel, category, product, market, not is_transactional, is_machine_made)
    copies = [Copy(line.rstrip("\r"), n, *about) for n, line in lines if line.strip()]
    known = _known(folder, evidence)
    found = review(
        copies,
        as_of=_day(as_of),
        evidence=known.evidence,
        catalogue=known.names,
        decisions=known.decisions,
    )
    found = [_in_its_line(one, text) for one in found] if is_whole else found
    _tell(copies, found, as_json=as_json)
    if any(one.severity.blocks for one in found):
        raise typer.Exit(ExitCode.FAILED_CHECK)


@app.command("copy-evidence")
def copy_evidence(
    file: Annotated[
        Path | None,
        typer.Argument(help="TOML of evidence and names to keep; lists them when left out."),
    ] = None,
    *,
    folder: Annotated[Path, typer.Option("--dir", help="The workspace folder.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Keep evidence and names that copy may rely on, or list them."""
    from regulars.app import open_app  # noqa: PLC0415
    from regulars.govern.audit.service import anchor  # noqa: PLC0415
    from regulars.govern.copycheck.evidence import read_evidence  # noqa: PLC0415
    from regulars.govern.copycheck.kept import service  # noqa: PLC0415

    shop, now = open_app(folder), datetime.now(UTC)
    if file is not None:
        evidence, names = read_evidence(_there(file))
        service.keep_evidence(shop.state, evidence, actor=ACTOR, now=now)
        service.keep_names(shop.state, names, actor=ACTOR, now=now)
        anchor(shop.state, folder=shop.folder, at=now)
    kept, called = service.kept_evidence(shop.state), service.kept_names(shop.state)
    if as_json:
        rows: dict[str, Any] = {
            "evidence": [asdict(one) for one in kept],
            "names": [asdict(one) for one in called],
        }
        typer.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    for one in kept:
        typer.echo(f"{one.evidence_id:<12} {one.kind:<18} to {one.valid_to}  {one.claim}")
    for name in called:
        typer.echo(f"{name.kind:<12} {name.name} {name.record}".rstrip())
    if not kept and not called:
        typer.echo("no evidence is kept; run: regulars govern copy-evidence evidence.toml")


def _tell(copies: "list[Copy]", found: "list[Finding]", *, as_json: bool) -> None:
    if as_json:
        for one in found:
            typer.echo(json.dumps(one.as_json(), ensure_ascii=False))
        return
    for one in found:
        words = f"“{one.text}”" if one.text else "missing"
        typer.echo(
            f"{one.line}:{one.span[0]}-{one.span[1]} {one.severity.upper()} {one.rule} {words}\n"
            f"    《{one.law}》 Art. {one.article}, in force from {one.effective_from}\n"
            f"    {one.suggestion['zh']} / {one.suggestion['en']}"
        )
        for seen in one.exemption_considered:
            if seen.exemption != "others":
                typer.echo(f"    {seen.exemption}: {seen.why}")
    stopped = {one.line for one in found if one.severity.blocks}
    # A letter read whole is one text, whatever lines its findings are told in.
    barred = min(len(stopped), len(copies))
    typer.echo(f"{len(copies)} texts, {len(found)} findings, {barred} texts may not go out")
    typer.echo("This is a check of wording, not legal advice.", err=True)


def _in_its_line(one: "Finding", text: str) -> "Finding":
    """Tell line and span of a finding within a text of many lines."""
    start, end = one.span
    before = text.rfind("\n", 0, start) + 1
    return replace(one, line=1 + text.count("\n", 0, start), span=(start - before, end - before))


def _known(folder: Path | None, file: Path | None) -> "Known":
    from regulars.govern.copycheck.evidence import read_evidence  # noqa: PLC0415
    from regulars.govern.copycheck.service import Known, known_in  # noqa: PLC0415

    kept = Known()
    if folder is not None:
        from regulars.app import open_app  # noqa: PLC0415 - slow to import

        kept = known_in(open_app(folder).state)
    evidence, names = read_evidence(file) if file is not None else ([], [])
    return Known((*evidence, *kept.evidence), (*names, *kept.names), kept.decisions)


def _there(file: Path) -> Path:
    if not file.is_file():
        raise InputError(f"{file}: there is no such file; check the path")
    return file


def _day(text: str) -> date:
    if not text:
        return datetime.now(UTC).astimezone(ZoneInfo(ZONE)).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--as-of is {text!r}, write YYYY-MM-DD") from error
