"""Let timm and transformers import beside a CPU build of torch.

pip gives a CPU torch the torchvision of the CUDA build, whose C++ operators cannot load. `import torchvision` then
stops with "operator torchvision::nms does not exist", and so do timm and transformers, which import it for
transforms that we never use. Declaring the schemas of the two operators is enough for the import to go through.
See https://github.com/pytorch/vision/issues/9085.

Import this module before timm and transformers.
"""

import importlib

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def declare_missing_operators() -> torch.library.Library | None:
    """Import torchvision; where its operators are missing, declare them. Return the library that holds them."""
    try:
        importlib.import_module("torchvision")
    except ImportError:
        return None
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(name + _SCHEMA)
        importlib.import_module("torchvision")
        return library
    return None


# Kept alive: the schemas disappear with the library object.
OPERATORS = declare_missing_operators()
