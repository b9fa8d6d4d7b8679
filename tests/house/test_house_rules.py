"""House rules a linter does not know. Each carries an example that passes and one that fails."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "regulars"
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
SQL = re.compile(
    r"\s*(select|insert|update|delete|with|create|drop|alter)\b.*\b(from|into|set|as|table)\b",
    re.I | re.S,
)
UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|placeholder|NotImplementedError|pragma: no cover)\b|# *stub\b"
)
UNSAFE_CALLS = {
    "eval",
    "exec",
    "pickle.load",
    "pickle.loads",
    "pickle.dump",
    "pickle.dumps",
    "joblib.load",
    "joblib.dump",
    "yaml.load",
    "os.system",
}
CLOCKS = {
    "datetime.now",
    "datetime.utcnow",
    "date.today",
    "time.time",
    "datetime.datetime.now",
    "datetime.date.today",
    "np.random.seed",
    "random.random",
    "random.seed",
    "random.shuffle",
}
TIMERS = {"time.time", "time.perf_counter", "time.monotonic", "perf_counter", "monotonic"}


def body_lines(function):
    doc = function.body[0] if ast.get_docstring(function, clean=False) is not None else None
    return (
        function.end_lineno - function.lineno + 1 - (doc.end_lineno - doc.lineno + 1 if doc else 0)
    )


def code_lines(source, tree):
    """Lines that are neither blank nor import nor docstring."""
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            skipped.update(range(node.lineno, node.end_lineno + 1))
        elif isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) and ast.get_docstring(node):
            skipped.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return sum(
        bool(line.strip()) and number not in skipped
        for number, line in enumerate(source.split("\n"), 1)
    )


def functions(tree):
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def parameters(function):
    given = function.args
    names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return [name for name in names if name not in {"self", "cls"}]


def is_command(function):
    return any(
        "command" in ast.dump(d) or "callback" in ast.dump(d) for d in function.decorator_list
    )


def called(tree):
    return {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}


def keywords(tree):
    return {
        (k.arg, ast.unparse(k.value))
        for n in ast.walk(tree)
        if isinstance(n, ast.Call)
        for k in n.keywords
    }


def has_fstring_sql(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(v.value if isinstance(v, ast.Constant) else "?" for v in node.values)
            if SQL.match(text):
                return True
    return False


def unseeded(tree):
    return any(
        isinstance(n, ast.Call)
        and ast.unparse(n.func).endswith("default_rng")
        and not n.args
        and not n.keywords
        for n in ast.walk(tree)
    )


def reads_text(tree):
    """Whether files are read as text of an encoding that is taken for granted."""
    return any(
        isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and (
            n.func.attr == "read_text"
            or (n.func.attr == "open" and any(k.arg == "encoding" for k in n.keywords))
        )
        for n in ast.walk(tree)
    )


def is_face(path):
    """Faces to people may read the clock; everything behind them is told what time it is."""
    return "serve/" in path


@dataclass(frozen=True)
class Rule:
    says: str
    broken: Callable[[str, str, ast.Module], bool]
    good: tuple[str, str]
    bad: tuple[str, str]


RULES = [
    Rule(
        "no drawers: name the thing",
        lambda p, s, t: any(part.strip("_") in DRAWERS for part in Path(p).with_suffix("").parts),
        ("reach/frequency.py", ""),
        ("reach/utils.py", ""),
    ),
    Rule(
        "a function fits a screen: 60 lines without its docstring",
        lambda p, s, t: any(body_lines(f) > 60 for f in functions(t)),
        ("a.py", "def f():\n" + "    x = 1\n" * 59),
        ("a.py", "def f():\n" + "    x = 1\n" * 61),
    ),
    Rule(
        "a file is one idea: 600 lines",
        lambda p, s, t: s.count("\n") > 600,
        ("a.py", "x = 1\n" * 600),
        ("a.py", "x = 1\n" * 601),
    ),
    Rule(
        "a step reads, calls and writes, a port fits two screens: 120 lines of code",
        lambda p, s, t: (
            (p.endswith("/step.py") or p.startswith("ports/")) and code_lines(s, t) > 120
        ),
        ("decide/step.py", '"""A\nstep."""\nimport a\n' + "x = 1\n" * 120),
        ("ports/lake.py", "x = 1\n" * 121),
    ),
    Rule(
        "a function takes 8 parameters at most",
        lambda p, s, t: any(len(parameters(f)) > 8 for f in functions(t) if not is_command(f)),
        ("a.py", "def f(self, a, b, *, c, d, e, f, g, h): ..."),
        ("a.py", "def f(a, b, *, c, d, e, f, g, h, i): ..."),
    ),
    Rule(
        "SQL is never built by f-string",
        lambda p, s, t: has_fstring_sql(t),
        ("a.py", 'm = f"no channel named {x}"'),
        ("a.py", 'q = f"select * from {t}"'),
    ),
    Rule(
        "a file says what it is",
        lambda p, s, t: (
            bool(t.body)
            and not (ast.get_docstring(t) or "").split("\n")[0].endswith((".", "?", ":"))
        ),
        ("a.py", '"""Frequency caps."""\nx = 1'),
        ("a.py", "x = 1"),
    ),
    Rule(
        "nothing is left unfinished",
        lambda p, s, t: bool(UNFINISHED.search(s)),
        ("a.py", "todo = 'what to do'"),
        ("a.py", "x = 1  # TODO"),
    ),
    Rule(
        "nothing is executed that was read",
        lambda p, s, t: bool(called(t) & UNSAFE_CALLS) or ("shell", "True") in keywords(t),
        ("a.py", "subprocess.run(['ls'])"),
        ("a.py", "subprocess.run('ls', shell=True)"),
    ),
    Rule(
        "the package prints nothing",
        lambda p, s, t: "print" in called(t),
        ("a.py", "typer.echo('done')"),
        ("a.py", "print('done')"),
    ),
    Rule(
        "files that commands are given are read by serve/cli/files.py, which knows encodings",
        lambda p, s, t: p.startswith("serve/cli/") and reads_text(t),
        ("serve/cli/a.py", "text_of(file)\nfile.open('rb')\nos.fdopen(n, 'w', encoding='utf-8')"),
        ("serve/cli/a.py", "file.read_text('utf-8')"),
    ),
    Rule(
        "the moment and the seed come in as arguments",
        lambda p, s, t: not is_face(p) and (bool(called(t) & CLOCKS) or unseeded(t)),
        ("decide/a.py", "rng = np.random.default_rng(seed)"),
        ("decide/a.py", "now = datetime.now(UTC)"),
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says)
def test_the_rule_itself_still_bites(rule):
    assert not rule.broken(*rule.good, ast.parse(rule.good[1]))
    assert rule.broken(*rule.bad, ast.parse(rule.bad[1]))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says)
def test_the_package_keeps_the_rule(rule):
    breaches = [
        path.relative_to(SRC).as_posix()
        for path in sorted(SRC.rglob("*.py"))
        if rule.broken(
            path.relative_to(SRC).as_posix(), text := path.read_text("utf-8"), ast.parse(text)
        )
    ]

    assert breaches == []


def crowded(folder, most=12):
    """Folders with more entries than a reader takes in at once; the package root is excepted."""
    inside = [f for f in folder.rglob("*") if f.is_dir() and "__pycache__" not in f.parts]
    return [f.name for f in inside if sum(not e.name.startswith("__") for e in f.iterdir()) > most]


def test_the_folder_rule_itself_still_bites(tmp_path):
    (tmp_path / "full").mkdir()
    for number in range(13):
        (tmp_path / "full" / f"{number}.py").touch()

    assert crowded(tmp_path) == ["full"]
    assert crowded(tmp_path, most=13) == []


def test_no_folder_of_the_package_holds_more_than_12_entries():
    assert crowded(SRC) == []


def empty_rooms(folder):
    """Packages with nothing in them but their own name."""
    rooms = [f.parent for f in folder.rglob("__init__.py")]
    return [r.name for r in rooms if not any(e for e in r.iterdir() if not e.name.startswith("__"))]


def test_there_are_no_empty_rooms(tmp_path):
    (tmp_path / "hall").mkdir()
    (tmp_path / "hall" / "__init__.py").touch()

    assert empty_rooms(tmp_path) == ["hall"]
    assert empty_rooms(SRC) == []
