"""One word per thing: the synonyms GLOSSARY.md rejects are not used as names in the package."""

import ast
import re
from pathlib import Path

import pytest

from regulars.records import TABLES

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "regulars"


def glossary():
    """Rejected words by the word to use."""
    rows = [
        line.strip("|").split("|")
        for line in (ROOT / "GLOSSARY.md").read_text("utf-8").split("\n")
        if line.startswith("|")
    ]
    cells = [[cell.strip() for cell in row] for row in rows[2:]]
    return {row[0]: [word.strip() for word in row[4].split(",")] for row in cells}


def parts(name):
    """Cut a name into its words: ControlGroup, control_group -> control, group."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return [part for part in spaced.lower().split("_") if part]


def uses(name, word):
    """Whether a name contains a word, plural or not, as whole parts."""
    have, want = parts(name), parts(word)
    return any(
        [part.removesuffix("s") for part in have[i : i + len(want)]]
        == [part.removesuffix("s") for part in want]
        for i in range(len(have) - len(want) + 1)
    )


def names_in(source):
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def rejected(names):
    words = [(word, instead) for instead, rejects in glossary().items() for word in rejects]
    return sorted(
        f"{name}: say {instead}" for name in names for word, instead in words if uses(name, word)
    )


@pytest.mark.parametrize(
    ("name", "rejected_word"),
    [
        ("lead", "lead"),
        ("ControlGroup", "control_group"),
        ("leads_by_city", "lead"),
        ("nightly_blast", "blast"),
    ],
)
def test_the_rule_itself_still_bites(name, rejected_word):
    assert uses(name, rejected_word)
    assert rejected([name])


@pytest.mark.parametrize(
    "name", ["leader", "control", "mislead", "customers", "dealer_free", "deals"]
)
def test_the_rule_lets_other_words_be(name):
    assert rejected([name]) == []


def test_every_word_has_a_meaning_a_source_and_a_chinese_term():
    text = (ROOT / "GLOSSARY.md").read_text("utf-8")
    rows = [line for line in text.split("\n") if line.startswith("|")][2:]

    assert len(rows) >= 30
    assert [
        row
        for row in rows
        if row.count("|") != 6 or not all(cell.strip() for cell in row.strip("|").split("|"))
    ] == []
    assert [row for row in rows if not re.search("[\u4e00-\u9fff]", row)] == []


def test_no_name_in_the_package_is_a_rejected_word():
    found = {
        f"{path.relative_to(SRC)}: {breach}"
        for path in sorted(SRC.rglob("*.py"))
        if "datasets" not in path.parts
        for breach in rejected(names_in(path.read_text("utf-8")) | {path.stem})
    }

    assert found == set()


def test_no_table_or_column_is_a_rejected_word():
    assert (
        rejected(set(TABLES) | {column for table in TABLES.values() for column in table.names})
        == []
    )
