"""A model as two graphs: one reads sources, the other takes a step of the decoder; and their way into ONNX files.

What a decoder carries from step to step is a list of named tensors (N, ...): `hidden_0`, `cell_0` (LSTM only),
`hidden_1` and so on for its layers, `context` with input feeding and `attention` with location-aware attention. The
encoder's graph gives those before the first step; the step's graph takes them, and gives each as `next_` and its name.
"""

import copy
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn

from s2s.checkpoint.record import ENCODER, STEP
from s2s.export.scans import complete_scans
from s2s.model import Seq2Seq
from s2s.nn.decoder import DecoderState, InputFeedingDecoder, Memory
from s2s.nn.frontends import TextFrontend
from s2s.nn.location_attention import LocationAwareAttention
from s2s.nn.stepping import stepping

OPSET = 17
"""The version of ONNX's operators, which every onnxruntime since 1.12 (2022) knows."""

HARMLESS = (
    "You are using the legacy TorchScript-based ONNX export",  # the other one fixes the length or the batch of layers
    "The feature will be removed",  # torch's own calls of what it will remove
    "Converting a tensor to a Python boolean",  # whether a source has one step only: the general way serves that, too;
    # or how often a light cell sweeps: it becomes a `Scan` (s2s.export.scans)
    "Exporting a model to ONNX with a batch_size other than 1",  # our initial states are made for the batch at hand
    "Exporting aten::index operator of advanced indexing",  # by lengths, which are never negative
)
"""How the exporter's warnings begin that tell nothing here."""

MEMORY = ("keys", "values", "mask")
"""What has a row for each source, and not for each hypothesis."""


@dataclass(frozen=True)
class Port:
    """An input or output of a graph; `shape` has a name for each free size."""

    name: str
    dtype: str
    shape: list[int | str]


@dataclass(frozen=True)
class Ports:
    """What goes into a graph and what comes out."""

    inputs: list[Port]
    outputs: list[Port]


class EncoderGraph(nn.Module):
    """Sources and lengths to keys, values, mask, what the decoder carries at first, and CTC's log-probabilities."""

    def __init__(self, model: Seq2Seq) -> None:
        super().__init__()
        self.model = model
        self.outputs = [*MEMORY, *carried_by(model), *(["ctc_log_probs"] if model.ctc else [])]

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """Sources (B, S, ...) and lengths (B) to `outputs`."""
        model, decoder = self.model, self.model.decoder
        encoded = model.read(source, lengths)
        memory = model.remember(encoded)
        found = [memory.keys, memory.values, memory.mask, *(part for state in memory.initial for part in state)]
        if isinstance(decoder, InputFeedingDecoder):
            found.append(encoded.values.new_zeros(encoded.values.shape[0], decoder.context_width))
        if isinstance(decoder.attention, LocationAwareAttention):
            found.append(torch.zeros_like(memory.mask, dtype=encoded.values.dtype))
        if model.ctc is not None:
            found.append(model.ctc_log_probs(encoded))
        return tuple(found)


class StepGraph(nn.Module):
    """A step of N rows, each of which reads one of B sources, to log-probabilities and what is carried on."""

    def __init__(self, model: Seq2Seq) -> None:
        super().__init__()
        self.model = model
        self.others = _beside_layers(model)
        after = [*_of_layers(model), *(name for name in self.others if name != "attention")]
        self.outputs = ["log_probs", "next_attention", *(f"next_{name}" for name in after)]

    def forward(
        self, keys: Tensor, values: Tensor, mask: Tensor, owner: Tensor, tokens: Tensor, *carried: Tensor
    ) -> tuple[Tensor, ...]:
        """The memory of B sources, the source (N) of each row, its last token (N), and what it carries, to `outputs`.

        A row gets a copy of its source's memory: the grid that spares it (`s2s.grid`) is no static graph.
        """
        memory, rest = Memory(keys, values, mask, ()).select(owner), iter(carried)
        layers = tuple(tuple(islice(rest, self.model.bridge.parts)) for _ in range(self.model.bridge.layers))
        others = dict(zip(self.others, rest, strict=True))
        state = DecoderState(memory, owner, None, layers, others.get("context"), others.get("attention"))
        log_probs, state = self.model.step(state, tokens)
        assert state.attention is not None
        found = [log_probs, state.attention, *(part for layer in state.layers for part in layer)]
        return (*found, *([] if state.feed is None else [state.feed]))


def carried_by(model: Seq2Seq) -> list[str]:
    """The names of what the decoder carries from step to step."""
    return [*_of_layers(model), *_beside_layers(model)]


def _of_layers(model: Seq2Seq) -> list[str]:
    parts = ("hidden", "cell")[: model.bridge.parts]
    return [f"{part}_{layer}" for layer in range(model.bridge.layers) for part in parts]


def _beside_layers(model: Seq2Seq) -> list[str]:
    names = ["context"] if isinstance(model.decoder, InputFeedingDecoder) else []
    return names + (["attention"] if isinstance(model.decoder.attention, LocationAwareAttention) else [])


@torch.no_grad()
def write_graphs(model: Seq2Seq, source_size: int, folder: Path) -> dict[str, Ports]:
    """Write `encoder.onnx` and `step.onnx` of a model in evaluation mode; the inputs and outputs of each.

    `source_size` counts the features of a frame; it has no effect on a model of text.
    """
    assert not model.training, "dropout would go into the graphs"
    model = copy.deepcopy(model)
    stepping(model.decoder, _linear)  # the exporter knows layers of torch over a sequence, and not their single steps
    encoder, step = EncoderGraph(model), StepGraph(model)
    inputs = _example(model, source_size)
    made = dict(zip(encoder.outputs, encoder(*inputs.values()), strict=True))
    rows = torch.tensor([0, 1, 1])
    carried = {name: made[name][rows] for name in carried_by(model)}
    asked = {**{name: made[name] for name in MEMORY}, "owner": rows, "tokens": rows, **carried}
    given = dict(zip(step.outputs, step(*asked.values()), strict=True))
    return {
        ENCODER: _write(encoder, inputs, made, "batch", folder / ENCODER),
        STEP: _write(step, asked, given, "rows", folder / STEP),
    }


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Module:
    """A linear layer (F to D) of torch with this weight and bias."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None, device="meta")
    layer.weight = nn.Parameter(weight.detach())
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach())
    return layer


def _example(model: Seq2Seq, source_size: int) -> dict[str, Tensor]:
    """Two sources of unequal length, both of which leave several steps."""
    shape, lengths = (2, 24), torch.tensor([24, 17])
    if isinstance(model.frontend, TextFrontend):
        return {"source": torch.zeros(shape, dtype=torch.long), "lengths": lengths}
    return {"source": torch.zeros(*shape, source_size), "lengths": lengths}


def _write(
    graph: nn.Module, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor], rows: str, path: Path
) -> Ports:
    """Trace a graph at an example of it, and write it with all sizes free that are not the model's own."""
    axes = {name: _free(name, tensor.dim(), rows) for name, tensor in {**inputs, **outputs}.items()}
    with warnings.catch_warnings():
        for beginning in HARMLESS:
            warnings.filterwarnings("ignore", beginning)
        torch.onnx.export(
            graph,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    complete_scans(path)
    return Ports(*([_port(name, one, axes[name]) for name, one in side.items()] for side in (inputs, outputs)))


def _free(name: str, dimensions: int, rows: str) -> dict[int, str]:
    """Which sizes of a tensor of that name are free, and what they are called."""
    free = {0: "batch" if name in MEMORY else rows}
    if name in ("keys", "values"):  # of several heads these are (B, heads, S, A / heads)
        free[dimensions - 2] = "steps"
    elif name in ("mask", "attention", "next_attention", "ctc_log_probs"):
        free[1] = "steps"
    elif name == "source":
        free[1] = "time"
    return free


def _port(name: str, tensor: Tensor, free: Mapping[int, str]) -> Port:
    shape = [free.get(place, size) for place, size in enumerate(tensor.shape)]
    return Port(name, str(tensor.dtype).removeprefix("torch."), shape)
