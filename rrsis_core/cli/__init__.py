"""The command line: one module a command, loaded when it is called."""

import json
import os
import sys
import traceback
from importlib import import_module
from typing import Any, NoReturn

import click

from rrsis_core import __version__
from rrsis_core.contract import OperationCanceled, RrsisError

COMMANDS = {
    "batch": "Find phrases in many rasters; goes on where it was.",
    "bench": "Measure speed and memory on this computer.",
    "data": "Check a data set, or make one of a raster and outlines.",
    "demo": "Render a sample scene and find four phrases in it.",
    "doctor": "Tell versions, devices, weights and what is wrong.",
    "evaluate": "Score weights on a data set: the papers' table and a report with pictures.",
    "explain": "Draw what a model attends to while it answers a phrase.",
    "merge": "Put results of several scenes together, or the scenes.",
    "models": "List presets and weights.",
    "parse": "Show what a phrase is understood as.",
    "segment": "Find phrases in a raster, write polygons.",
    "train": "Train a model from a recipe, or go on with a run.",
    "view": "Show a result on a map: one HTML file.",
}


class LazyGroup(click.Group):
    """Knows its commands by name and help; the module of a command is imported when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"rrsis_core.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rrsis")
def rrsis() -> None:
    """Say what you are looking for in an aerial image, get georeferenced polygons of exactly that."""


def main() -> NoReturn:
    """Run the command line; every error ends as one sentence, a hint and an exit code."""
    try:
        code = rrsis.main(prog_name="rrsis", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except RrsisError as error:
        _fail(error.exit_code, **error.as_dict())
    except click.UsageError as error:
        context = error.ctx.command_path if error.ctx else "rrsis"
        _fail(2, code="usage", message=error.format_message(), hint=f"See {context} --help.")
    except (click.Abort, KeyboardInterrupt):
        _fail(OperationCanceled.exit_code, code=OperationCanceled.code, message=str(OperationCanceled()))
    except OperationCanceled as error:
        _fail(error.exit_code, code=error.code, message=str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has left: nobody to tell
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 # the last door: a person gets a sentence, not a traceback
        details = traceback.format_exc()
        hint = "This is a fault of rrsis: please report it with the output of RRSIS_DEBUG=1."
        _fail(1, code="internal", message=f"{type(error).__name__}: {error}", hint=hint, details=details)


def _fail(exit_code: int, code: str, message: str, hint: str = "", details: str = "") -> NoReturn:
    """Print an error as text, or as one JSON object where --json was given, and leave."""
    if "--json" in sys.argv:
        body: dict[str, Any] = {"ok": False, "code": code, "message": message, "hint": hint, "details": details}
        click.echo(json.dumps(body))
    click.echo(f"Error: {message}" + (f"\n  {hint}" if hint else "") + f"\n  [{code}]", err=True)
    if details and os.environ.get("RRSIS_DEBUG"):
        click.echo(details, err=True)
    sys.exit(exit_code)
