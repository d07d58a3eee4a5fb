"""Average weights of one lineage: `python training/average.py OUT.safetensors A.safetensors=0.7 B.safetensors=0.3`.

Models that grew from the same weights on different data may be averaged parameter by parameter, and the mean is often
better than each ("model soups", Wortsman et al. 2022). Any number of files with their shares; the card is the first's.
"""

import sys
from pathlib import Path

import torch

from rrsis_core.models import load_model, save_weights
from rrsis_core.weights import find_weights


def main(out: Path, parts: list[str]) -> None:
    """Write the mean. Counters, which are no floats, are those of the first."""
    names, shares = zip(*(part.rsplit("=", 1) for part in parts), strict=True)
    models = [load_model(find_weights(name)) for name in names]
    states = [model.state_dict() for model, _ in models]
    weights = torch.tensor([float(share) for share in shares])
    weights /= weights.sum()
    model, card = models[0]
    mean = {
        name: torch.stack([state[name].float() for state in states], dim=-1) @ weights if x.is_floating_point() else x
        for name, x in states[0].items()
    }
    model.load_state_dict(mean)
    save_weights(model, out, card)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
