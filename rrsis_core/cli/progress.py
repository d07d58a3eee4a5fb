"""Progress and warnings on a terminal."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TextIO

import click
from tqdm import tqdm

from rrsis_core.contract import RrsisWarning

STAGES = {"infer": "tiles", "write": "writing", "train": "iterations"}


class BarProgress:
    """Draws one bar a stage on stderr; silent where stderr is no terminal."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet or not sys.stderr.isatty()
        self._bar: tqdm[Any] | None = None
        self._stage = ""

    def update(self, stage: str, done: int, total: int) -> None:
        """Move the bar; a new stage starts a new one."""
        if self._quiet:
            return
        if stage != self._stage or self._bar is None:
            self.close()
            self._bar = tqdm(total=total, initial=done, desc=STAGES.get(stage, stage), leave=False)
            self._stage = stage
        self._bar.update(done - self._bar.n)

    def is_canceled(self) -> bool:
        """Never: Ctrl-C arrives as KeyboardInterrupt."""
        return False

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class BatchProgress(BarProgress):
    """Writes a line a finished unit on stderr, and draws the bars of the one in hand where stderr is a terminal."""

    def __init__(self, quiet: bool = False) -> None:
        super().__init__(quiet)
        self._silent = quiet

    def finished(self, unit: Any, outcome: Any, count: int, total: int, seconds_left: float) -> None:
        """Say what became of a unit, and how long the rest will take."""
        self.close()
        if self._silent:
            return
        what = outcome.error.get("message", outcome.state)
        part = "" if unit.rows is None else f" tile rows {unit.rows[0] + 1}-{unit.rows[1]}"
        left = str(timedelta(seconds=round(seconds_left)))
        click.echo(f"[{count}/{total}] {outcome.scene}{part}: {what}, {outcome.seconds:.1f} s, {left} left", err=True)
        for note in outcome.notes:
            click.echo(f"  Note: {note}", err=True)


@contextmanager
def shown_warnings(quiet: bool = False) -> Iterator[list[str]]:
    """Print every RrsisWarning as it comes, as a note on stderr; yield the list that collects them."""
    notes: list[str] = []

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, RrsisWarning):
            notes.append(str(message))
            if not quiet:
                click.echo(f"Note: {message}", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always", RrsisWarning)
        warnings.showwarning = show
        yield notes
