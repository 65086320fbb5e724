"""Named tensors: those of a model with tied ones once, and their way to a file and back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from s2s.errors import ModelError


class NoInitialisation(TorchFunctionMode):
    """Modules built inside this context skip the drawing of initial weights; combine it with the device "meta"."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call `func`, unless it is one of `torch.nn.init`, which gives back its tensor as it is."""
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


def unique(model: nn.Module) -> dict[str, Tensor]:
    """The parameters and persistent buffers of a model, detached; a tied tensor appears once, under its first name."""
    first = {id(tensor): (name, tensor) for name, tensor in reversed(_named(model).items())}
    return {name: tensor.detach() for name, tensor in reversed(first.values())}


def restore(model: nn.Module, tensors: Mapping[str, Tensor], assign: bool = False) -> None:
    """Put tensors, named as by `unique`, into a model of the same shape; tied ones end up tied.

    They are copied into the model's own tensors, or take their place with `assign`. ModelError: a tensor is missing,
    of another shape or type, or has no place in the model.
    """
    _compare(unique(model), tensors)
    named = _named(model)
    values: dict[int, Tensor] = {}
    for name, old in named.items():
        if id(old) not in values:
            is_parameter = assign and isinstance(old, nn.Parameter)
            values[id(old)] = nn.Parameter(tensors[name], old.requires_grad) if is_parameter else tensors[name]
    model.load_state_dict({name: values[id(old)] for name, old in named.items()}, assign=assign)


def to_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """The tensors in safetensors format, each as a copy of its own."""
    from safetensors.torch import save

    copies = {
        name: torch.clone(tensor.detach().cpu(), memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    return save(copies)


def from_bytes(data: bytes, path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; ModelError names `path` when the bytes are something else.

    The format's own reader checks the header and all offsets against the length of `data`.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"{path} is not a safetensors file: {error}. Copy or train the model again.") from error


def _named(model: nn.Module) -> dict[str, Tensor]:
    return dict(model.state_dict(keep_vars=True))


def _compare(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """ModelError that tells all differences in names, shapes and types (the first five of each kind)."""
    problems = []
    missing = [name for name in expected if name not in found]
    if missing:
        problems.append(f"missing tensors: {_some(missing)}")
    unknown = [name for name in found if name not in expected]
    if unknown:
        problems.append(f"tensors that the model does not know: {_some(unknown)}")
    different = [
        f"{name} is {_describe(found[name])} instead of {_describe(tensor)}"
        for name, tensor in expected.items()
        if name in found and _describe(found[name]) != _describe(tensor)
    ]
    if different:
        problems.append(_some(different))
    if problems:
        raise ModelError(f"The weights do not fit the model's config: {'; '.join(problems)}.")


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
