"""Where and how a model computes: device, precision, threads."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from s2s.checkpoint import (
    Loaded,
    LoadedLanguageModel,
    LoadedModel,
    load_language_model,
    load_model,
    read_info,
    resolve,
)
from s2s.errors import S2SError, UsageError
from s2s.export.runner import load_exported
from s2s.hardware import has_int8, open_device
from s2s.inference.ensemble import LoadedEnsemble, Member, join
from s2s.log import warn
from s2s.nn.products import PackedLinear, QuantisedLinear
from s2s.nn.stepping import stepping
from s2s.text.tokenizers import Tokenizers

Item = TypeVar("Item")
Found = TypeVar("Found")

STEPPING = ("bridge", "decoder", "output")
"""The parts of an encoder-decoder that run at each step of a search."""

PRECISIONS = ("float32", "bfloat16", "int8")

Ready = Member | LoadedEnsemble
"""A model that can translate or transcribe, or several as one."""


def make_ready(
    path: Path | str,
    device: str,
    precision: str,
    threads: int | None,
    ensemble_with: Sequence[Path | str] = (),
) -> Ready:
    """What a folder holds, ready to compute: a model, a run's best one, or the graphs of an exported one.

    With others it is their ensemble, see `s2s.inference.ensemble`.

    ModelError: one cannot be read, see `s2s.checkpoint.load_model`. UsageError: see `load_for_inference` and `join`, or
    a device or precision that graphs do not have.
    """
    if isinstance(ensemble_with, str | Path):
        raise UsageError("ensemble_with takes a list of models, not one: write ensemble_with=[model].")
    members = [_make_member(one, device, precision, threads) for one in (path, *ensemble_with)]
    return join(members) if len(members) > 1 else members[0]


def _make_member(path: Path | str, device: str, precision: str, threads: int | None) -> Member:
    folder = resolve(Path(path))
    if read_info(folder).format == "s2s model":
        return load_for_inference(folder, device, precision, threads)
    opened = _open(device, precision, threads)
    if (opened.type, precision) != ("cpu", "float32"):
        raise UsageError(
            f"{folder} was exported, and computes in float32 on the CPU only, not in {precision} on {device}. "
            "Leave out device and precision, or name the model that it was exported from."
        )
    return load_exported(folder)


def load_for_inference(path: Path | str, device: str, precision: str, threads: int | None) -> LoadedModel:
    """An encoder-decoder ready to compute; `threads` holds for the whole process.

    UsageError: an unknown or absent device, an unknown precision, or threads with a device that has no use for them.
    """
    opened, precision = _settle(device, precision, threads)
    loaded = load_model(Path(path), opened)
    _make_fast(loaded.model, opened, precision, STEPPING)
    return loaded


def make_language_model_ready(
    path: Path | str, device: str, precision: str, threads: int | None, by_steps: bool
) -> LoadedLanguageModel:
    """A language model ready to compute, by steps alone or whole lines, too; errors as for `load_for_inference`."""
    opened, precision = _settle(device, precision, threads)
    loaded = load_language_model(Path(path), opened)
    parts = ("stack", "output") if by_steps or precision == "int8" else ()
    _make_fast(loaded.model, opened, precision, parts)
    return loaded


def _open(device: str, precision: str, threads: int | None) -> torch.device:
    """See `open_device`; UsageError, too, for a precision that nothing has."""
    if precision not in PRECISIONS:
        raise UsageError(f"There is no precision {precision!r}: it is one of {', '.join(PRECISIONS)}.")
    return open_device(device, threads)


def _settle(device: str, precision: str, threads: int | None) -> tuple[torch.device, str]:
    """The device, and the precision in which it computes."""
    opened = _open(device, precision, threads)
    if precision == "int8" and opened.type != "cpu":
        raise UsageError(f"int8 is a precision of the CPU, and the device is {device}: take bfloat16.")
    if precision == "int8" and not has_int8():
        warn("this processor has no products of eight bits: computing in float32, which is faster here.")
        precision = "float32"
    return opened, precision


def _make_fast(model: nn.Module, device: torch.device, precision: str, parts: Sequence[str]) -> None:
    """Cast the model, or replace the parts of it that run at each step."""
    if precision == "bfloat16":
        model.to(torch.bfloat16)
    elif device.type == "cpu":
        make_linear = QuantisedLinear if precision == "int8" else PackedLinear
        for name in parts:
            setattr(model, name, stepping(getattr(model, name), make_linear))


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


def tokenizers_of(loaded: Loaded) -> Tokenizers:
    """The tokenizers of a model that reads text; UsageError when it reads something else."""
    if not isinstance(loaded.codec, Tokenizers):
        raise UsageError(f"{loaded.folder} reads audio: use `s2s transcribe`.")
    return loaded.codec
