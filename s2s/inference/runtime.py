"""Where and how a model computes: device, precision, threads."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from s2s.checkpoint import LoadedModel, load_model
from s2s.errors import S2SError, UsageError
from s2s.hardware import has_int8, open_device
from s2s.log import warn
from s2s.nn.products import PackedLinear, QuantisedLinear
from s2s.nn.stepping import stepping
from s2s.text.tokenizers import Tokenizers

Item = TypeVar("Item")
Found = TypeVar("Found")

PRECISIONS = ("float32", "bfloat16", "int8")

STEPPING = ("bridge", "decoder", "output")
"""What of a model runs at each step of a search; what reads sources stays as it is, of float32."""


def load_for_inference(path: Path | str, device: str, precision: str, threads: int | None) -> LoadedModel:
    """A model ready to compute; `threads` holds for the whole process.

    UsageError: an unknown or absent device, an unknown precision, or threads with a device that has no use for them.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"There is no precision {precision!r}: it is one of {', '.join(PRECISIONS)}.")
    opened = open_device(device, threads)
    if precision == "int8" and opened.type != "cpu":
        raise UsageError(f"int8 is a precision of the CPU, and the device is {device}: take bfloat16.")
    loaded = load_model(Path(path), opened)
    if precision == "int8" and not has_int8():
        warn("this processor has no products of eight bits: computing in float32, which is faster here.")
        precision = "float32"
    if precision == "bfloat16":
        loaded.model.to(torch.bfloat16)
    elif opened.type == "cpu":
        for name in STEPPING:
            module = stepping(getattr(loaded.model, name), QuantisedLinear if precision == "int8" else PackedLinear)
            setattr(loaded.model, name, module)
    return loaded


def in_halves(search: Callable[[list[Item]], list[Found]], items: list[Item], cure: str) -> list[Found]:
    """What `search` finds for all items, or for one half after the other where the device's memory is too small.

    S2SError, with the cure, when it is too small for one.
    """
    try:
        return search(items)
    except torch.OutOfMemoryError as error:
        if len(items) == 1:
            raise S2SError(f"The device's memory is too small for one segment: {cure}.") from error
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    half = len(items) // 2
    warn(f"the device's memory is too small for {len(items):,} segments at once; going on with {half:,}.")
    return in_halves(search, items[:half], cure) + in_halves(search, items[half:], cure)


def tokenizers_of(loaded: LoadedModel) -> Tokenizers:
    """The tokenizers of a model that reads text; UsageError when it reads something else."""
    if not isinstance(loaded.codec, Tokenizers):
        raise UsageError(f"{loaded.folder} reads audio: use `s2s transcribe`.")
    return loaded.codec
