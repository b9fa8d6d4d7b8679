"""Write the reference pages that follow from the code: settings, tables, commands, steps."""

import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import regulars
from regulars.collect.connectors.reference import sources_page
from regulars.collect.reference import facts_page
from regulars.govern.copycheck.rulebook.reference import copy_rules_page
from regulars.ports.steps import REGISTRY, Step
from regulars.records import TABLES, Table
from regulars.serve.cli.exits import ExitCode
from regulars.serve.cli.main import COMMANDS, load
from regulars.serve.python_reference import python_page
from regulars.serve.settings_file import described_settings, toml_value

HERE = Path(__file__).parent

MADE = "*Written by `make docs` from the code; edit the code, not this page.*"


def settings_page() -> str:
    """Give the page of every setting with its default and meaning."""
    lines = ["# Settings", "", MADE, ""]
    lines += [
        "`regulars init` writes all of them into `regulars.toml`; what the file leaves out has its default."
    ]
    lines += [
        "Environment variables win over the file: `REGULARS_WORKERS` (threads and senders) and"
    ]
    lines += ["`REGULARS_STATE_URL` (address of the transactional store)."]
    section = ""
    for setting in described_settings():
        if setting.section != section:
            section = setting.section
            lines += ["", f"## [{section}]", "", "| setting | default | meaning |", "|---|---|---|"]
        lines.append(f"| `{setting.name}` | `{toml_value(setting.default)}` | {setting.means} |")
    lines += [
        "",
        "Name any channel you have as `[channels.NAME]`; naming one replaces the default channels.",
        "Name any source that is pulled as `[sources.NAME]`; see [sources](sources.md).",
    ]
    return "\n".join(lines) + "\n"


def steps() -> dict[str, Step]:
    """Import every step of the package and give them by name."""
    root = Path(regulars.__file__).parent
    for path in sorted(root.rglob("step.py")):
        import_module("regulars." + ".".join(path.relative_to(root).with_suffix("").parts))
    return {n: s for n, s in sorted(REGISTRY.items()) if s.run.__module__.startswith("regulars.")}


def tables_page() -> str:
    """Give the page of every table: grain, key, columns, and the steps that read and write it."""
    known = steps()
    lines = ["# Tables of the lake", "", MADE, ""]
    lines += [
        "Every table is a Delta table in the folder `lake/` of a workspace; any engine that reads Delta reads it."
    ]
    lines += [
        "Money is DECIMAL(18,2) in the workspace's currency, quantities are DECIMAL(18,3), timestamps are aware UTC."
    ]
    lines += [
        "*Whose* says how sensitive a column is: masking, exports and rights requests go by it."
    ]
    for name in sorted(TABLES, key=lambda n: (TABLES[n].station, n)):
        lines += _table(TABLES[name], known)
    return "\n".join(lines) + "\n"


def _table(table: Table, known: dict[str, Step]) -> list[str]:
    writers = [n for n, s in known.items() if table.name in s.writes] or [
        "`regulars collect import`"
    ]
    readers = [n for n, s in known.items() if table.name in s.reads] or ["faces only"]
    facts = [f"{table.grain.capitalize()}; key: {', '.join(table.key) or 'none'}."]
    facts += [f"Written by {', '.join(writers)}; read by {', '.join(readers)}."]
    facts += ["Each turn overwrites just its own rows (column `turn`)."] if table.by_turn else []
    lines = ["", f"## {table.name} ({table.station})", "", " ".join(facts), ""]
    lines += ["| column | type | empty | whose | meaning |", "|---|---|---|---|---|"]
    lines += [
        f"| `{c.name}` | {c.type} | {'no' if c.required else 'yes'} | {c.data_class} | {c.means} |"
        for c in table.columns
    ]
    return lines


def commands_page() -> str:
    """Give the page of every command with its own help, and of the exit codes."""
    lines = ["# Commands", "", MADE, "", "| exit code | name |", "|---|---|"]
    lines += [f"| {code.value} | {code.name.lower().replace('_', ' ')} |" for code in ExitCode]
    lines += [
        "",
        'With `--json` an error is one object on standard output: `{"error": {kind, message, code}}`.',
    ]
    for name in COMMANDS:
        lines += _command(f"regulars {name}", load(name))
    return "\n".join(lines) + "\n"


def _command(path: str, command: Any) -> list[str]:
    context = command.context_class(
        command, info_name=path, terminal_width=96, max_content_width=96
    )
    with context:
        lines = ["", f"## {path}", "", "```text", command.get_help(context).rstrip(), "```"]
    for name, part in getattr(command, "commands", {}).items():
        lines += _command(f"{path} {name}", part)
    return lines


PYTHON_PAGES = {
    "value": ("Value in Python", ["regulars.understand.value"]),
    "churn": ("Churn in Python", ["regulars.understand.churn"]),
    "experiments": ("Experiments in Python", ["regulars.measure.experiments"]),
    "assignment": ("Assignment in Python", ["regulars.decide.assignment"]),
    "uplift": ("Uplift in Python", ["regulars.decide.uplift.learners", "regulars.measure.uplift"]),
    "bandits": (
        "Bandits and policies in Python",
        ["regulars.decide.bandits", "regulars.decide.policies"],
    ),
    "off_policy": ("Off-policy evaluation in Python", ["regulars.measure.off_policy"]),
    "budget": ("Budget in Python", ["regulars.decide.budget"]),
    "scorecard": ("The scorecard in Python", ["regulars.measure.scorecard"]),
    "models": (
        "Champions and challengers in Python",
        ["regulars.understand.champions", "regulars.understand.challengers"],
    ),
    "channels": ("Channels in Python", ["regulars.decide.channels"]),
    "alerts": ("Alerts in Python", ["regulars.adjust.alerts"]),
    "long_term": ("Long-term effects in Python", ["regulars.measure.long_term"]),
}
"""Title and modules of each page for analysts."""

PAGES = {
    "settings.md": settings_page,
    "tables.md": tables_page,
    "facts.md": facts_page,
    "sources.md": sources_page,
    "commands.md": commands_page,
    "copy-rules.md": copy_rules_page,
} | {
    f"python/{name}.md": partial(python_page, title, modules)
    for name, (title, modules) in PYTHON_PAGES.items()
}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"wrote {name}\n")


if __name__ == "__main__":
    main()
