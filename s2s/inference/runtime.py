"""Where and how a model computes: device, precision, threads."""

from pathlib import Path

import torch

from s2s.checkpoint import LoadedModel, load_model
from s2s.errors import UsageError

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def load_for_inference(path: Path | str, device: str, precision: str, threads: int | None) -> LoadedModel:
    """A model ready to compute; `threads` holds for the whole process.

    UsageError: an unknown or absent device, an unknown precision, or threads with a device that has no use for them.
    """
    place = _device(device)
    if precision not in PRECISIONS:
        raise UsageError(f"There is no precision {precision!r}: it is one of {', '.join(PRECISIONS)}.")
    if threads is not None:
        if threads < 1:
            raise UsageError(f"The number of threads must be 1 or more (it is {threads}).")
        if place.type != "cpu":
            raise UsageError(f"A number of threads has no effect on the device {device}: leave it out.")
        torch.set_num_threads(threads)
    loaded = load_model(Path(path), place)
    loaded.model.to(PRECISIONS[precision])
    return loaded


def _device(name: str) -> torch.device:
    """The device of that name; UsageError when this machine has none."""
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, ImportError) as error:
        raise UsageError(
            f"The device {name!r} cannot be used here. `s2s doctor` lists the devices of this machine."
        ) from error
    if device.type == "meta":
        raise UsageError("The device 'meta' cannot compute. `s2s doctor` lists the devices of this machine.")
    return device
