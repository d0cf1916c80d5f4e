"""What a user's mistake looks like: one message on stderr and an exit code, no traceback."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from statmech_dsl.errors import (
    DiagnosticsError,
    ImproperDistributionError,
    StatmechError,
    StatmechWarning,
)

FAILED, MISTAKEN, INTERRUPTED = 1, 2, 130


@contextmanager
def friendly(debug: bool) -> Iterator[None]:
    """Turn errors and warnings into messages; ``debug`` shows tracebacks too.

    Exits with 2 for what the user can mend before a run, 1 for a failure while running.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    except (typer.Exit, BrokenPipeError):  # the latter after `| head`: typer ends quietly
        raise
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED, debug)
    except (DiagnosticsError, ImproperDistributionError) as error:
        _fail(str(error), FAILED, debug)
    except StatmechError as error:
        _fail(str(error), MISTAKEN, debug)
    except Exception as error:
        hint = "" if debug else " (--debug shows where)"
        _fail(f"{describe(error)}{hint}", FAILED, debug)


def describe(error: BaseException) -> str:
    """One line about an error; where it is not one of this library it needs its type."""
    text = str(error)
    if isinstance(error, StatmechError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _fail(message: str, code: int, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    typer.secho("error: ", fg="red", nl=False, err=True)
    typer.echo(message, err=True)
    raise typer.Exit(code) from None


def _show_warning(message: Warning | str, category: type[Warning], *_: Any) -> None:
    typer.secho("warning: ", fg="yellow", nl=False, err=True)
    ours = issubclass(category, StatmechWarning)
    typer.echo(str(message) if ours else f"{category.__name__}: {message}", err=True)
