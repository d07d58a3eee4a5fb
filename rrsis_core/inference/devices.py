"""A device is where the model runs; choosing one means never failing later for a reason that could be seen now."""

import torch

from rrsis_core.contract import InferenceError

_USUAL_THREADS = torch.get_num_threads()


def choose_device(name: str = "auto") -> torch.device:
    """Return the device for "auto" (CUDA, else MPS, else CPU), "cpu", "cuda", "cuda:N" or "mps".

    Raises InferenceError inference.device where it does not exist on this computer.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise _no_device(name) from error
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(device.type, False):
        raise _no_device(name)
    return device


def list_devices() -> list[str]:
    """Return the names of the devices of this computer, best first."""
    names = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return [*names, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


def default_batch_size(device: torch.device) -> int:
    """Return how many tiles go through the model at once: few on a CPU, where more brings nothing.

    On a GPU one for each GiB that it has: by all its memory and not the free part, so that a run goes on as it began,
    to the last digit.
    """
    if device.type != "cuda":
        return 2 if device.type == "cpu" else 8
    return min(32, max(1, torch.cuda.get_device_properties(device).total_memory // 2**30))


def half_is_faster(device: torch.device) -> bool:
    """Tell whether a model runs faster in bfloat16: on CUDA, and on CPUs with instructions for it (1.4 times)."""
    able: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # older torch does not tell
    return device.type == "cuda" or (
        device.type == "cpu" and any(able.get(name) for name in ("avx512_bf16", "amx_bf16"))
    )


def use_threads(count: int | None) -> None:
    """Let the CPU work with so many threads from now on; None for as many as torch takes by itself."""
    torch.set_num_threads(count or _USUAL_THREADS)


def _no_device(name: str) -> InferenceError:
    return InferenceError(
        f"There is no device '{name}' on this computer.",
        code="inference.device",
        hint=f"Use auto or one of: {', '.join(list_devices())}.",
    )
