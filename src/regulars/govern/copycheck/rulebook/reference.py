"""The page of every rule of copy review, as the rules say it themselves."""

from regulars.govern.copycheck.rulebook.loading import rulebook
from regulars.govern.copycheck.rulebook.records import Rule

FAMILIES = {
    "absolute": "Absolute terms",
    "claims": "Promises and authority",
    "decency": "Others and people",
    "green": "Green claims",
    "medical": "Medical words and health goods",
    "notices": "What a text must show",
    "price": "Prices, gifts and lotteries",
    "trades": "Finance, education, property, alcohol, tobacco, farming",
}
SHOWN = 6


def copy_rules_page() -> str:
    """Give the reference page of the rules: by family, with article, day, severity and evidence.

    Returns:
        Markdown.

    Example:
        >>> "| `A02` | block |" in copy_rules_page()
        True
    """
    book = rulebook()
    lines = ["# Rules of copy review", ""]
    lines += ["*Written by `make docs` from the rules; edit them, not this page.*", ""]
    lines += [
        "`block`: may not go out. `evidence`: may go out with valid evidence about these words. "
        "`review`: a person decides. `notice`: something should be added. The words are examples; "
        "all of them, the patterns and the exemptions are in the TOML files beside the code. "
        "Not legal advice."
    ]
    for family, title in FAMILIES.items():
        lines += ["", f"## {title}", ""]
        lines += ["| rule | severity | about | law, article | from | lifted by | exemptions |"]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [_row(rule) for rule in book.rules if rule.family == family]
    lines += ["", "## Laws and guidelines", "", "| name | in force from | where this comes from |"]
    lines += ["|---|---|---|"]
    lines += [
        f"| {law.title['zh']} / {law.title['en']} | {law.effective_from} | {law.source} |"
        for law in book.laws.values()
    ]
    return "\n".join(lines) + "\n"


def _row(rule: Rule) -> str:
    words = "、".join(rule.terms[:SHOWN])
    about = f"{rule.title['zh']} / {rule.title['en']}" + (f": {words}" if words else "")
    cells = [
        f"`{rule.rule_id}`",
        rule.severity.value,
        about,
        f"{rule.law.title['en']}, Art. {rule.article}",
        str(rule.effective_from),
        ", ".join(sorted(rule.lifted_by)) or "nothing",
        ", ".join(one.exemption_id for one in rule.exemptions) or "none",
    ]
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
