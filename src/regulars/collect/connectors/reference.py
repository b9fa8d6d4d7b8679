"""The reference page of sources, written from the contracts themselves."""

from regulars.collect.connectors.catalogue import SOURCE_KINDS, WAYS, SourceKind


def sources_page() -> str:
    """Write the page.

    Returns:
        Markdown: every kind, the ways to read one, and per kind its files and a sample.

    Example:
        >>> "| `weather` |" in sources_page()
        True
    """
    lines = [
        "# Sources",
        "",
        "*Written by `make docs` from the code; edit the code, not this page.*",
        "",
        "Name a source in `regulars.toml`, and read what is new in it with "
        "`regulars collect pull NAME`:",
        "",
        "```toml",
        "[sources.reviews]",
        'kind = "reviews"',
        'via = "folder"',
        'path = "drop/reviews"',
        "```",
        "",
        "Files laid out otherwise than the kind's contract need a mapping of their own: "
        '`mapping = "my.toml"`; see [facts and mappings](facts.md). '
        "`regulars collect sources KIND --out FOLDER` writes the samples below.",
        "",
        "| kind | 中文 | brings | read by | feeds | personal | needs first |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_row(kind) for kind in SOURCE_KINDS.values()]
    lines += ["", "## Ways to read a source", "", "| via | meaning |", "|---|---|"]
    lines += [f"| `{way}` | {means} |" for way, means in WAYS.items()]
    lines += [
        "",
        "A kind that needs a legal basis is refused (exit code 3) until one is recorded: "
        "`regulars govern legal-basis add SOURCE --kind KIND --basis BASIS --evidence PLACE`.",
    ]
    for kind in SOURCE_KINDS.values():
        lines += _samples(kind)
    return "\n".join(lines) + "\n"


def _row(kind: SourceKind) -> str:
    gate = f"legal basis ({kind.gate})" if kind.gate else ""
    return (
        f"| `{kind.name}` | {kind.chinese} | {kind.means} | {', '.join(kind.ways)} | "
        f"{', '.join(kind.tables)} | {'yes' if kind.is_personal else ''} | {gate} |"
    )


def _samples(kind: SourceKind) -> list[str]:
    lines = ["", f"## {kind.title}"]
    for sample in kind.samples:
        lines += ["", f"`{sample.name}`", "", "```text", sample.text.rstrip("\n"), "```"]
    return lines
