"""The documents are true: commands, options, targets, links, tables and settings they name exist."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from regulars.serve.cli.main import COMMANDS, load
from regulars.serve.python_reference import functions_of

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "regulars"
PAGES = sorted([
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "changelog.d").glob("*.md"),
])
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
named = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())


def code_of(text):
    """Commands a page shows: whole lines of code blocks, and code inside a line."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.M | re.S)
    lines = [
        line.strip().removeprefix("$ ").partition("  #")[0]
        for block in blocks
        for line in block.split("\n")
    ]
    return lines + re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def wrong_call(words):
    """What is wrong with a call of `regulars`, or an empty string."""
    if words[0].startswith(("-", "[")) or words[0].isupper():
        return ""
    if words[0] not in COMMANDS:
        return f"no command {words[0]}"
    command, rest = load(words[0]), words[1:]
    while hasattr(command, "commands"):
        if not rest or rest[0].startswith("-"):
            break
        if rest[0] not in command.commands:
            return f"no command {' '.join(words)}"
        command, rest = command.commands[rest[0]], rest[1:]
    known = {option for part in command.params for option in (*part.opts, *part.secondary_opts)} | {
        "--help"
    }
    asked = {
        word.strip("[],.|").partition("=")[0] for word in rest if word.strip("[").startswith("--")
    }
    return f"{words[0]} has no {sorted(asked - known)[0]}" if asked - known else ""


def wrong_commands(text):
    found = []
    for code in code_of(text):
        words = code.removeprefix(".venv/bin/").split()
        if len(words) > 1 and words[0] == "regulars" and (wrong := wrong_call(words[1:])):
            found.append(wrong)
        if words and words[0] == "make":
            found += [
                f"no target {word}" for word in words[1:] if word.islower() and word not in TARGETS
            ]
    return found


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("run `regulars fly`", ["no command fly"]),
        ("```sh\nregulars doctor --dri shop\n```", ["doctor has no --dri"]),
        ("`make coffee`", ["no target coffee"]),
        ("`regulars doctor --dir shop --json` and `make test`", []),
    ],
)
def test_the_rule_about_commands_still_bites(text, wrong):
    assert wrong_commands(text) == wrong


@named
def test_a_page_names_only_commands_options_and_targets_there_are(page):
    if "generated" not in page.parts:
        assert wrong_commands(page.read_text("utf-8")) == []


@named
def test_the_links_of_a_page_lead_somewhere(page):
    links = re.findall(
        r"\]\(([^)#\s]+)[^)]*\)",
        re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S),
    )
    near = [link for link in links if "://" not in link]

    assert [link for link in near if not (page.parent / link).exists()] == []


@named
def test_the_files_a_page_names_are_there(page):
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    paths = re.findall(
        r"`((?:src|tests|docs|benchmarks|requirements|changelog\.d)/[\w./-]+)`", text
    )

    assert [path for path in paths if not (ROOT / path).exists()] == []


def generated(tmp_path):
    """Write the generated pages somewhere else, in a new process: what is loaded here must not matter."""
    code = (
        f"import runpy, sys, pathlib; page = runpy.run_path({str(ROOT / 'docs/reference/generate.py')!r})\n"
        f"[(pathlib.Path({str(tmp_path)!r}) / n).write_text(make(), 'utf-8') for n, make in page['PAGES'].items()]"
    )
    (tmp_path / "python").mkdir()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    return sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md"))


def test_the_generated_reference_is_what_the_code_says(tmp_path):
    names = generated(tmp_path)

    assert {"commands.md", "settings.md", "tables.md"} <= set(names)
    stale = [
        n
        for n in names
        if (tmp_path / n).read_text("utf-8") != (ROOT / "docs/reference" / n).read_text("utf-8")
    ]
    assert stale == [], "run: make docs"


def test_every_function_for_analysts_has_an_example():
    made = runpy.run_path(str(ROOT / "docs/reference/generate.py"))
    pages = made["PYTHON_PAGES"].values()
    functions = dict(one for _, modules in pages for one in functions_of(modules))

    assert len(functions) > 60
    bare = [name for name, one in functions.items() if "Example:\n" not in one.__doc__]
    assert bare == [], "give each a docstring with an Example"


def blocks(text):
    return [
        re.sub(r"\s*#.*", "", block)
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    ]


def test_both_readmes_show_the_same_commands_and_chapters():
    english, chinese = (
        (ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md")
    )

    assert blocks(english)
    assert blocks(english) == blocks(chinese)
    assert len(re.findall("^## ", english, re.M)) == len(re.findall("^## ", chinese, re.M))


def test_the_architecture_map_shows_every_room_and_no_other():
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rooms = {path.name for path in SRC.iterdir() if path.is_dir() and path.name != "__pycache__"}
    shown = set(
        re.findall(r"\b([a-z]+)/", text.partition("## The map")[2].partition("```\n\n##")[0])
    )

    assert rooms - shown == set()
    assert shown - rooms - {"src", "regulars", "cli", "http", "console"} == set()


def test_every_decision_is_numbered_and_is_a_sentence():
    names = [path.name for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    numbers = [int(name[:4]) for name in names]

    assert numbers == list(range(1, len(names) + 1))
    assert [n for n in names if not re.fullmatch(r"\d{4}(-[a-z0-9]+){4,}\.md", n)] == []


def rows_of(page):
    lines = [line for line in page.split("\n") if line.startswith("|") and "`tests/" in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_guarantee_names_its_limit_its_test_and_its_last_result():
    rows = rows_of((ROOT / "GUARANTEES.md").read_text("utf-8"))
    suites = runpy.run_path(str(ROOT / "tests/prove/__main__.py"), run_name="prove")["suites"]()

    assert rows
    assert [row for row in rows if len(row) != 4 or not all(row)] == []
    assert [name for name in suites if not any(f"`{name}`" in row[2] for row in rows)] == []
    assert [row[0] for row in rows if "BROKEN" in row[3]] == []


def test_prove_puts_a_result_in_the_last_cell_of_its_row():
    put = runpy.run_path(str(ROOT / "tests/prove/__main__.py"), run_name="prove")["with_result"]
    page = "| a | b | `tests/x/test_a.py` | not yet run |"

    assert (
        put(page, "tests/x/test_a.py", "20 kills, 0 lost (abc)")
        == "| a | b | `tests/x/test_a.py` | 20 kills, 0 lost (abc) |"
    )
    with pytest.raises(ValueError, match="no row"):
        put(page, "tests/x/test_b.py", "x")


def test_a_changelog_fragment_is_named_by_station_and_kind():
    kinds = {"added", "changed", "fixed", "removed"}
    names = [path.name for path in (ROOT / "changelog.d").glob("*.md")]

    assert [n for n in names if n != "README.md" and n.split(".")[-2] not in kinds] == []
