"""The command line as its caller meets it: help, versions, exit codes, errors in one sentence."""

import errno
import json
import subprocess
import sys

import pytest
import typer

from regulars.errors import InputError, NotAllowed, NotReady, Permanent, Transient, UnknownName
from regulars.serve.cli import main as cli
from regulars.serve.cli.exits import ExitCode, exit_code, sentence

SLOW = {
    "numpy",
    "pandas",
    "ibis",
    "duckdb",
    "pyarrow",
    "sqlalchemy",
    "sklearn",
    "scipy",
    "lightgbm",
    "fastapi",
    "rich",
}


def in_a_new_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_help_names_every_command_without_importing_anything_slow():
    code = (
        "import sys\nfrom regulars.serve.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(' '.join(sorted({SLOW!r} & set(sys.modules))))"
    )

    said = in_a_new_process(code)

    assert said.stderr == ""
    assert all(f"  {name} " in said.stdout for name in cli.COMMANDS)


def test_importing_the_package_imports_nothing_slow():
    said = in_a_new_process(f"import regulars, sys; print(sorted({SLOW!r} & set(sys.modules)))")

    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_list_of_commands_says_what_the_command_says(name):
    command = cli.load(name)

    assert command.help.split("\n")[0] == cli.COMMANDS[name].help


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("collcet",), "Did you mean 'collect'?"),
        (("doctor", "--bogus"), "No such option: --bogus"),
        (("init",), "Missing argument"),
    ],
)
def test_a_mistyped_call_ends_with_2_and_says_where_help_is(capsys, words, hint):
    code, _, said = run(capsys, *words)

    assert code == ExitCode.INPUT
    assert hint in said
    assert "--help" in said


def test_a_mistyped_call_with_json_answers_in_json(capsys):
    code, said, _ = run(capsys, "doctor", "--bogus", "--json")

    assert code == ExitCode.INPUT
    assert json.loads(said)["error"]["message"] == "No such option: --bogus"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("x"), ExitCode.INPUT),
        (UnknownName("channel", "smoke", ["sms"]), ExitCode.INPUT),
        (NotAllowed("role", "x"), ExitCode.NOT_ALLOWED),
        (NotReady("x"), ExitCode.NOT_READY),
        (Transient("x"), ExitCode.TRANSIENT),
        (Permanent("x"), ExitCode.PERMANENT),
        (FileNotFoundError(2, "No such file", "a.csv"), ExitCode.INPUT),
        (OSError(errno.ENOSPC, "No space left on device", "lake"), ExitCode.PERMANENT),
        (KeyError("x"), None),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error, code):
    assert exit_code(error) is code


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "disk is full; free"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission is denied; change"),
    ],
)
def test_an_error_of_the_system_says_what_to_do(number, hint):
    assert sentence(OSError(number, "whatever", "lake")).startswith("lake: ")
    assert hint in sentence(OSError(number, "whatever", "lake"))


def failing_with(error):
    app = typer.Typer()

    @app.command()
    def fail(*, as_json: bool = typer.Option(False, "--json")) -> None:
        raise error

    return typer.main.get_command(app)


@pytest.mark.parametrize(
    ("error", "code"), [(NotReady("no turn yet; run: regulars run"), 4), (KeyboardInterrupt(), 130)]
)
def test_a_command_that_fails_ends_with_the_code_of_its_error(capsys, monkeypatch, error, code):
    monkeypatch.setattr(cli, "load", lambda name: failing_with(error))

    assert run(capsys, "run")[0] == code


def test_an_error_is_one_sentence_or_one_json_object(capsys, monkeypatch):
    monkeypatch.setattr(cli, "load", lambda name: failing_with(NotReady("no turn yet")))

    assert run(capsys, "run")[2] == "Error: no turn yet\n"
    assert json.loads(run(capsys, "run", "--json")[1]) == {
        "error": {"kind": "NotReady", "message": "no turn yet", "code": 4}
    }


def test_a_bug_is_not_dressed_up_as_a_sentence(monkeypatch):
    monkeypatch.setattr(cli, "load", lambda name: failing_with(ZeroDivisionError("ours")))

    with pytest.raises(ZeroDivisionError):
        cli.main(["run"])
