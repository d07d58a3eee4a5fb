"""A staged output is written in a hidden folder beside its place, and moved there only when it is whole.

So nobody ever sees half a file, a failed or stopped run leaves what was there before, and all that belongs to a file
(the five parts of a Shapefile) moves together.
"""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from rrsis_core.contract import SinkError

# What other programs leave beside a file, and would wrongly apply to its successor.
STALE = {
    ".gpkg": ("-wal", "-shm", "-journal"),
    ".shp": (".qix", ".sbn", ".sbx", ".idm", ".ind"),
    ".tif": (".aux.xml", ".ovr", ".msk"),
    ".tiff": (".aux.xml", ".ovr", ".msk"),
    ".png": (".aux.xml",),
}


def check_output(
    path: str | os.PathLike[str], suffixes: Collection[str], overwrite: bool = False, inputs: Collection[str] = ()
) -> Path:
    """Return the path of an output if a run may write it; to be asked before the run.

    Raises SinkError output.suffix (`suffixes` lists what works), output.folder (the folder is missing, or nothing can
    be created in it) and output.exists (also with `overwrite`, for a folder or for one of the run's own inputs).
    """
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        raise SinkError(
            f"{target.name} cannot be written: its suffix '{target.suffix}' stands for no format that works here.",
            code="output.suffix",
            hint=f"Use one of {', '.join(suffixes)}.",
        )
    _check_folder(target.parent)
    if target.is_dir():
        raise SinkError(f"{target} is a folder.", code="output.exists", hint="Give the name of a file.")
    if any(os.path.exists(given) and target.exists() and os.path.samefile(given, target) for given in inputs):
        raise SinkError(f"{target} is an input of the same run.", code="output.exists", hint="Give another name.")
    if target.exists() and not overwrite:
        raise SinkError(
            f"{target} exists already.", code="output.exists", hint="Give another name, or use --overwrite."
        )
    return target


@contextmanager
def staged(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield where to write a file of the same name; afterwards move it, and its parts, to its place.

    On any exception everything written is removed. Raises SinkError output.folder or output.write.
    """
    target = Path(path)
    _check_folder(target.parent)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.stem}-", suffix=".part") as folder:
        part = Path(folder, target.name)
        yield part
        with write_errors(target):
            _move(part, target)


@contextmanager
def write_errors(path: Path, *others: type[Exception]) -> Iterator[None]:
    """Turn OSError (a full disk, no permission) and the given kinds of error into SinkError output.write."""
    kinds: tuple[type[Exception], ...] = (OSError, *others)
    try:
        yield
    except SinkError:
        raise
    except kinds as error:
        raise SinkError(
            f"{path} could not be written: {error}",
            code="output.write",
            hint="Check the free space and the permissions of its folder, and whether another program holds the file.",
            details=repr(error),
        ) from error


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise SinkError(f"There is no folder {folder}.", code="output.folder", hint="Create it, or give another path.")
    try:
        # Tried and not asked: permission bits say little on network shares, and nothing to a superuser.
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise SinkError(
            f"Nothing can be written in the folder {folder}.",
            code="output.folder",
            hint="Give a folder that you may write to.",
            details=str(error),
        ) from error


def _move(part: Path, target: Path) -> None:
    """Move a staged file and its parts; the file itself comes last, for it is what others look for."""
    if not part.is_file():
        raise FileNotFoundError(f"nothing was written to {part}")
    if target.suffix.lower() == ".shp":
        parts = sorted(part.parent.glob(f"{glob.escape(part.stem)}.*"), key=lambda file: file.name == part.name)
    else:
        parts = [part]
    for file in parts:
        os.replace(file, target.parent / file.name)
    for ending in STALE.get(target.suffix.lower(), ()):
        stale = target.with_suffix(ending) if target.suffix.lower() == ".shp" else Path(f"{target}{ending}")
        stale.unlink(missing_ok=True)
