"""What is in the repository: no path of a machine, no stray at the root, nothing made."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MACHINE = re.compile(r"(?<![\w.:])/(?:work|home|root|Users|farm)/(?!\s|$)|/tmp/\w+/")
AT_THE_ROOT = {
    "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "GLOSSARY.md", "GUARANTEES.md", "LICENSE", "Makefile",
    "README.md", "README.zh-CN.md", "pyproject.toml", ".gitignore", ".importlinter",
    ".ci", "benchmarks", "changelog.d", "docs", "requirements", "src", "tests",
}  # fmt: skip
MADE = {".pyc", ".parquet", ".db", ".sqlite", ".so", ".zip", ".gz", ".whl", ".pkl"}


def names_git_tracks():
    """Names of tracked files; nothing where there is no git or no repository."""
    if not shutil.which("git"):
        return []
    words = ["git", "ls-files", "-z"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return [name for name in listed.stdout.split("\0") if name]


def names_in_the_folder():
    """What would be tracked, as far as the folder tells."""
    found = [
        p
        for top in AT_THE_ROOT
        for p in ([ROOT / top] if (ROOT / top).is_file() else (ROOT / top).rglob("*"))
    ]
    return [
        p.relative_to(ROOT).as_posix()
        for p in found
        if p.is_file() and "cache" not in str(p.parent)
    ]


@pytest.fixture(scope="module")
def tracked():
    names = names_git_tracks() or names_in_the_folder()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def text_of(path):
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize(
    "path",
    ["see /home/anna/shop", "in /" + "work/main/src", "ls /tmp/" + "x/y", "/" + "root/.cache"],
)
def test_the_rule_about_paths_still_bites(path):
    assert MACHINE.search(path)


@pytest.mark.parametrize("path", ["/v1/track", "https://example.com/home/x", "src/home/x", "a/tmp"])
def test_the_rule_about_paths_lets_other_paths_be(path):
    assert not MACHINE.search(path)


def test_no_tracked_file_names_a_path_of_a_machine(tracked):
    own = Path(__file__).name
    found = [
        p.name
        for p in tracked
        if p.name != own and "vendor" not in p.parts and MACHINE.search(text_of(p))
    ]

    assert found == []


def test_the_root_holds_nothing_but_what_belongs_there(tracked):
    assert {p.relative_to(ROOT).parts[0] for p in tracked} - AT_THE_ROOT == set()


def test_every_root_document_is_there():
    assert [name for name in sorted(AT_THE_ROOT) if not (ROOT / name).exists()] == []


def test_nothing_made_is_tracked(tracked):
    assert [p.name for p in tracked if p.suffix in MADE] == []


def test_the_makefile_has_12_targets_at_most_and_each_says_what_it_does():
    lines = (ROOT / "Makefile").read_text("utf-8").split("\n")
    targets = [line for line in lines if re.match(r"[a-z]+:", line)]

    assert 0 < len(targets) <= 12
    assert [line for line in targets if "## " not in line] == []
