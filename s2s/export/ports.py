"""The inputs and outputs of both graphs, as the record of a model tells them: names, types and sizes.

What a decoder carries from step to step is a list of named tensors (N, ...): `hidden_0`, `cell_0` (LSTM only),
`hidden_1` and so on for its layers, `context` with input feeding and `attention` with location-aware attention. The
encoder's graph gives those before the first step; the step's graph takes them, and gives each as `next_` and its name.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from s2s.checkpoint.record import ENCODER, STEP
from s2s.config import ModelConfig

FREE = ("batch", "rows", "steps", "time")
"""What the sizes are called that graphs leave free."""

MEMORY = ("keys", "values", "mask")
"""What has a row for each source, and not for each hypothesis."""


@dataclass(frozen=True)
class Port:
    """An input or output of a graph; `shape` has a name for each size that is free, or that nobody tells."""

    name: str
    dtype: str
    shape: list[int | str]

    def __str__(self) -> str:
        return f"{self.dtype} ({', '.join(map(str, self.shape))})"


@dataclass(frozen=True)
class Ports:
    """What goes into a graph and what comes out."""

    inputs: list[Port]
    outputs: list[Port]


def ports_of(config: ModelConfig, source_size: int, target_size: int) -> dict[str, Ports]:
    """The ports of the graph in each file; a size that only weights tell is called "width".

    `source_size` counts the features of a frame; it has no effect on a model of text.
    """
    frames = config.frontend.reads_frames
    source = Port("source", "float32", ["batch", "time", source_size]) if frames else _ids("source", "batch", "time")
    heads = ["heads"] if config.attention.kind == "multi-head" else []
    keys, values = (Port(name, "float32", ["batch", *heads, "steps", "width"]) for name in ("keys", "values"))
    memory = [keys, values, Port("mask", "bool", ["batch", "steps"])]
    ctc = [Port("ctc_log_probs", "float32", ["batch", "steps", target_size])] if config.ctc else []
    found = [Port("log_probs", "float32", ["rows", target_size]), Port("next_attention", "float32", ["rows", "steps"])]
    carried = list(_carried(config, "rows"))
    after = [Port(f"next_{port.name}", port.dtype, port.shape) for port in carried if port.name != "attention"]
    return {
        ENCODER: Ports([source, _ids("lengths", "batch")], [*memory, *_carried(config, "batch"), *ctc]),
        STEP: Ports([*memory, _ids("owner", "rows"), _ids("tokens", "rows"), *carried], [*found, *after]),
    }


def _ids(name: str, *shape: str) -> Port:
    return Port(name, "int64", list(shape))


def _carried(config: ModelConfig, rows: str) -> Iterator[Port]:
    """What the decoder carries from step to step."""
    for layer in range(config.decoder.layers):
        for part in ("hidden", "cell") if config.decoder.cell == "lstm" else ("hidden",):
            yield Port(f"{part}_{layer}", "float32", [rows, config.decoder.width])
    if config.decoder.kind == "input-feeding":
        yield Port("context", "float32", [rows, "width"])
    if config.attention.kind == "location-aware":
        yield Port("attention", "float32", [rows, "steps"])
