"""Rules for the tests: each can fail, none is timed, none is skipped without a good reason."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
TIMERS = {"time", "perf_counter", "monotonic", "process_time"}
CHECKS = ("assert", "check", "raises", "expect", "verify")


def cases_of(tree):
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]


def calls(node):
    return [n for n in ast.walk(node) if isinstance(n, ast.Call)]


def name_of(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def can_fail(test):
    """A test asserts something that is not a constant, or hands over to something that does."""
    asserted = [n.test for n in ast.walk(test) if isinstance(n, ast.Assert)]
    if any(not isinstance(a, ast.Constant) and not _is_tautology(a) for a in asserted):
        return True
    return any(name_of(call).lower().lstrip("_").startswith(CHECKS) for call in calls(test))


def _is_tautology(asserted):
    return isinstance(asserted, ast.Compare) and all(
        isinstance(part, ast.Constant) for part in (asserted.left, *asserted.comparators)
    )


def is_timed(test):
    return any(name_of(call) in TIMERS for call in calls(test))


def skips(tree):
    found = [ast.unparse(call) for call in calls(tree) if name_of(call) in {"skip", "importorskip"}]
    marks = [
        ast.unparse(n)
        for n in ast.walk(tree)
        if isinstance(n, ast.Attribute) and n.attr in {"skip", "xfail", "skipif"}
    ]
    return [text for text in {*found, *marks} if "mark" in text or "(" in text]


def files():
    return sorted(TESTS.rglob("*.py"))


def broken(rule):
    return [
        f"{path.relative_to(TESTS)}::{test.name}"
        for path in files()
        for test in cases_of(ast.parse(path.read_text("utf-8")))
        if rule(test)
    ]


def parsed(text):
    return cases_of(ast.parse(text))[0]


def test_every_test_can_fail():
    assert can_fail(parsed("def test_a():\n    assert f() == 1"))
    assert not can_fail(parsed("def test_a():\n    assert True"))
    assert not can_fail(parsed("def test_a():\n    assert 1 == 1"))
    assert not can_fail(parsed("def test_a():\n    f()"))

    assert broken(lambda test: not can_fail(test)) == []


def test_no_test_reads_a_clock():
    assert is_timed(parsed("def test_a():\n    assert time.perf_counter() < 1"))

    assert broken(is_timed) == []


def test_only_the_shared_fixtures_skip():
    assert skips(ast.parse("pytest.skip('later')")) == ["pytest.skip('later')"]
    assert skips(ast.parse("@pytest.mark.xfail\ndef test_a(): ..."))

    allowed = {"conftest.py", "test_tests.py"}
    assert [
        p.name for p in files() if p.name not in allowed and skips(ast.parse(p.read_text("utf-8")))
    ] == []


def test_a_test_file_is_named_after_what_it_tests():
    strays = [
        path.relative_to(TESTS).as_posix()
        for path in files()
        if not path.name.startswith(("test_", "conftest", "__"))
        and cases_of(ast.parse(path.read_text("utf-8")))
    ]

    assert strays == []
