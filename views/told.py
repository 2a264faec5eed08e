"""How a command says what went wrong."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from kiosk.errors import Invalid, LoketError

UNUSABLE = 2


def told(command: Callable[..., Any]) -> Callable[..., Any]:
    """A fault of ours becomes one clear line and exit 2, without a trace."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except Invalid as error:
            said = "; ".join(f"{name}: {text}" for name, text in error.fields.items())
        except LoketError as error:
            said = error.message
        click.echo(said, err=True)
        sys.exit(UNUSABLE)

    return run
