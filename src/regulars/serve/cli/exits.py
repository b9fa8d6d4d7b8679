"""Exit codes: what a script may conclude from how a command ended."""

import errno
import json
from enum import IntEnum

import typer

from regulars.errors import (
    InputError,
    NotAllowed,
    NotReady,
    OutsideError,
    RegularsError,
    Transient,
)
from regulars.govern.protection.redaction import redacted


class ExitCode(IntEnum):
    """The codes every command keeps to; anything else is a bug and prints a traceback."""

    OK = 0
    FAILED_CHECK = 1
    INPUT = 2
    NOT_ALLOWED = 3
    NOT_READY = 4
    TRANSIENT = 5
    PERMANENT = 6
    INTERRUPTED = 130


_CODES: tuple[tuple[type[RegularsError], ExitCode], ...] = (
    (InputError, ExitCode.INPUT),
    (NotAllowed, ExitCode.NOT_ALLOWED),
    (NotReady, ExitCode.NOT_READY),
    (Transient, ExitCode.TRANSIENT),
    (OutsideError, ExitCode.PERMANENT),
)

_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space, then run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space, then run the same command again",
    errno.EROFS: "the file system is read-only; choose a folder you may write to",
    errno.EACCES: "permission is denied; change the owner or mode, or choose another folder",
    errno.EPERM: "permission is denied; change the owner or mode, or choose another folder",
    errno.EMFILE: "too many files are open; raise the limit with: ulimit -n 4096",
}


def exit_code(error: Exception) -> ExitCode | None:
    """Say how a command ends that met an error.

    Args:
        error: What was raised.

    Returns:
        The exit code, or None when the error is no one's but ours: a bug.

    Example:
        >>> exit_code(NotReady("run: regulars init shop"))
        <ExitCode.NOT_READY: 4>
    """
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError):
        return ExitCode.INPUT
    return ExitCode.PERMANENT if isinstance(error, OSError) else None


def sentence(error: Exception) -> str:
    """Say in one line what was wrong and what to do.

    Args:
        error: An error that has an exit code.

    Returns:
        The message of our own errors, phone numbers and e-mail addresses masked; for the
        system's, the file, the reason and the advice.

    Example:
        >>> sentence(FileNotFoundError(2, "No such file or directory", "orders.csv"))
        'orders.csv: there is no such file or folder; check the path'
    """
    if not isinstance(error, OSError) or isinstance(error, RegularsError):
        return redacted(str(error))
    where = error.filename or "the workspace"
    if isinstance(error, FileNotFoundError):
        return f"{where}: there is no such file or folder; check the path"
    advice = _ADVICE.get(error.errno or 0)
    return f"{where}: {advice or f'{error.strerror or error}; run: regulars doctor'}"


def report(error: Exception, code: ExitCode, *, as_json: bool) -> None:
    """Tell the caller on standard error, or as JSON on standard output when that was asked for."""
    if as_json:
        found = {"error": {"kind": type(error).__name__, "message": sentence(error), "code": code}}
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        typer.echo(f"Error: {sentence(error)}", err=True)
