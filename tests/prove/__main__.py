"""`make prove`: run every reliability suite at full size and write the results into GUARANTEES.md.

A suite is a test file with a function `prove() -> str`: it runs the same checks as the tests
of the file at full size, raises AssertionError when a promise is broken, and otherwise says in
one line what was run and found. GUARANTEES.md names the file in its table; the last cell of
that row is the result with the commit it was found at.
"""

import runpy
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "GUARANTEES.md"


def suites():
    """Test files that hold a suite, by the path GUARANTEES.md calls them."""
    found = sorted((ROOT / "tests").rglob("test_*.py"))
    return {
        p.relative_to(ROOT).as_posix(): p for p in found if "\ndef prove(" in p.read_text("utf-8")
    }


def commit():
    """The commit the results belong to; marked when the tree was changed since."""

    if not shutil.which("git"):
        return "commit not known"

    def git(*words):
        return subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout.strip()

    own = {"GUARANTEES.md"}
    changed = {line[3:] for line in git("status", "--porcelain").split("\n") if line} - own
    return f"{git('rev-parse', '--short', 'HEAD')}{' with changes' if changed else ''}"


def with_result(page, test, result):
    """Put a result in the last cell of the row that names the test.

    Raises:
        ValueError: No row names the test.
    """
    lines = page.split("\n")
    rows = [i for i, line in enumerate(lines) if line.startswith("|") and f"`{test}`" in line]
    if not rows:
        raise ValueError(f"GUARANTEES.md has no row for {test}; add its promise and limit")
    for i in rows:
        cells = lines[i].strip().strip("|").split("|")
        lines[i] = "|" + "|".join([*cells[:-1], f" {result.replace('|', '/')} "]) + "|"
    return "\n".join(lines)


def main(names: Iterable[str]) -> int:
    """Run the suites whose path contains a given name, all of them when none is given."""
    wanted = list(names)
    at = commit()
    broken = 0
    for test, path in suites().items():
        if wanted and not any(name in test for name in wanted):
            continue
        sys.stdout.write(f"{test} ...\n")
        try:
            result = f"{runpy.run_path(str(path))['prove']()} ({at})"
        except Exception as error:
            traceback.print_exc()
            broken += 1
            result = (
                f"BROKEN: {str(error).split(chr(10), maxsplit=1)[0] or 'see the output'} ({at})"
            )
        sys.stdout.write(f"  {result}\n")
        PAGE.write_text(with_result(PAGE.read_text("utf-8"), test, result), "utf-8")
    sys.stdout.write(f"{broken} broken\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
