"""Whether graphs are those that a record describes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from s2s.checkpoint import ModelInfo
from s2s.checkpoint.record import RECORD, STEP
from s2s.config import ModelConfig
from s2s.errors import ModelError
from s2s.export.ports import FREE, Port, Ports, ports_of

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, NodeArg

Sessions = Mapping[str, "InferenceSession"]

TYPES = {"tensor(float)": "float32", "tensor(int64)": "int64", "tensor(bool)": "bool"}

SHOWN = 4
"""Problems that a message names."""


def check_ports(sessions: Sessions, info: ModelInfo, folder: Path) -> None:
    """ModelError unless graphs have the inputs and outputs that the record tells."""
    if not isinstance(info.model, ModelConfig):
        problems = ["they are of no encoder-decoder"]
    elif info.model.decoder.layers > len(sessions[STEP].get_inputs()):  # a damaged number could be of any size
        problems = [f"{STEP} has fewer inputs than the decoder layers"]
    else:
        problems = list(differences(ports_of(info.model, info.source_size, info.target_size), sessions))
    if problems:
        more = [f"and {len(problems) - SHOWN:,} more"] if len(problems) > SHOWN else []
        raise ModelError(
            f"The graphs in {folder} are not those that its {RECORD} describes: {'; '.join(problems[:SHOWN] + more)}. "
            "Export the model again."
        )


def differences(told: Mapping[str, Ports], sessions: Sessions) -> Iterator[str]:
    """In what the inputs and outputs of graphs are not what was told."""
    for name, ports in told.items():
        for side, expected, there in (
            ("inputs", ports.inputs, sessions[name].get_inputs()),
            ("outputs", ports.outputs, sessions[name].get_outputs()),
        ):
            yield from _differences(name, side, expected, [_port(one) for one in there])


def _differences(graph: str, side: str, told: list[Port], there: list[Port]) -> Iterator[str]:
    expected, found = ({port.name: port for port in ports} for ports in (told, there))
    if missing := [name for name in expected if name not in found]:
        yield f"{graph} lacks the {side} {', '.join(missing)}"
    if unknown := [repr(name) for name in found if name not in expected]:
        yield f"{graph} has the {side} {', '.join(unknown)}"
    for name in sorted(expected.keys() & found.keys()):
        if not _fits(expected[name], found[name]):
            yield f"{name} of {graph} is {found[name]} and not {expected[name]}"


def _fits(told: Port, found: Port) -> bool:
    """Whether types are the same and sizes, too, where both are numbers; what is free must not be one."""
    return (told.dtype, len(told.shape)) == (found.dtype, len(found.shape)) and all(
        isinstance(there, str) or there == size or (isinstance(size, str) and size not in FREE)
        for size, there in zip(told.shape, found.shape, strict=True)
    )


def _port(found: "NodeArg") -> Port:
    shape = [size if isinstance(size, int) else str(size) for size in found.shape]
    return Port(found.name, TYPES.get(found.type, found.type), shape)
