"""The store finds weights by name or path: an explicit path, then the packaged files, then RRSIS_HOME/weights."""

import hashlib
import os
from pathlib import Path

from rrsis_core.contract import WeightsError

DEFAULT = "crobim_resnet18_256.default"
_PACKAGED = Path(__file__).parent / "files"


def home() -> Path:
    """Return the folder for files that belong to the user: RRSIS_HOME, or the platform's usual place."""
    if value := os.environ.get("RRSIS_HOME"):
        return Path(value)
    if local := os.environ.get("LOCALAPPDATA"):
        return Path(local) / "rrsis"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "rrsis"


def vocabulary_path() -> Path:
    """Return the packaged WordPiece vocabulary."""
    return _PACKAGED / "vocab.txt"


def find_vocabulary(weights: Path, sha256: str) -> Path:
    """Return the vocabulary that belongs to a weights file: the vocab.txt beside it, or the packaged one.

    `sha256` is the card's; empty fits any. Raises WeightsError weights.vocabulary.
    """
    for path in (weights.with_name("vocab.txt"), vocabulary_path()):
        if path.is_file() and sha256 in ("", hashlib.sha256(path.read_bytes()).hexdigest()):
            return path
    raise WeightsError(
        f"The vocabulary that {weights} was trained with is not here.",
        code="weights.vocabulary",
        hint="Keep vocab.txt of the run's folder beside the weights, or name it.",
    )


def weight_files() -> dict[str, Path]:
    """Return all weights that are on this computer: name -> file; packaged ones win."""
    folders = [home() / "weights", _PACKAGED]
    return {file.stem: file for folder in folders if folder.is_dir() for file in sorted(folder.glob("*.safetensors"))}


def find_weights(name_or_path: str | None = None) -> Path:
    """Return the file of weights given by name or path; the default where nothing is given.

    Raises WeightsError weights.not_found, listing what there is.
    """
    files = weight_files()
    wanted = name_or_path or DEFAULT
    if wanted in files:
        return files[wanted]
    if Path(wanted).is_file():
        return Path(wanted)
    raise WeightsError(
        f"There are no weights '{wanted}'.",
        code="weights.not_found",
        hint=f"Give a .safetensors file or one of: {', '.join(sorted(files)) or 'nothing is installed'}.",
    )
