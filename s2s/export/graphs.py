"""A model as two graphs: one reads sources, the other takes a step of the decoder; and their way into ONNX files.

`s2s.export.ports` tells what goes in and out.
"""

import copy
import warnings
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn

from s2s.checkpoint.record import ENCODER, STEP
from s2s.export.ports import FREE, MEMORY, Port, Ports
from s2s.export.scans import complete_scans
from s2s.model import Seq2Seq
from s2s.nn.decoder import DecoderState, InputFeedingDecoder, Memory
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


class EncoderGraph(nn.Module):
    """Sources and lengths to keys, values, mask, what the decoder carries at first, and CTC's log-probabilities."""

    def __init__(self, model: Seq2Seq) -> None:
        super().__init__()
        self.model = model

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """Sources (B, S, ...) and lengths (B) to the outputs."""
        model = self.model
        encoded = model.read(source, lengths)
        memory = model.remember(encoded)
        state = model.start(memory)
        found = [memory.keys, memory.values, memory.mask, *(part for layer in state.layers for part in layer)]
        if state.feed is not None:
            found.append(state.feed)
        if isinstance(model.decoder.attention, LocationAwareAttention):  # its weights before the first step
            found.append(torch.zeros_like(memory.mask, dtype=encoded.values.dtype))
        if model.ctc is not None:
            found.append(model.ctc_log_probs(encoded))
        return tuple(found)


class StepGraph(nn.Module):
    """A step of N rows, each of which reads one of B sources, to log-probabilities and what is carried on."""

    def __init__(self, model: Seq2Seq) -> None:
        super().__init__()
        self.model = model
        self.fed = isinstance(model.decoder, InputFeedingDecoder)

    def forward(
        self, keys: Tensor, values: Tensor, mask: Tensor, owner: Tensor, tokens: Tensor, *carried: Tensor
    ) -> tuple[Tensor, ...]:
        """The memory of B sources, the source (N) of each row, its last token (N), and what it carries, to the outputs.

        A row gets a copy of its source's memory: the grid that spares it (`s2s.grid`) is no static graph.
        """
        memory, rest = Memory(keys, values, mask, ()).select(owner), iter(carried)
        layers = tuple(tuple(islice(rest, self.model.bridge.parts)) for _ in range(self.model.bridge.layers))
        feed = next(rest) if self.fed else None
        state = DecoderState(memory, owner, None, layers, feed, next(rest, None))
        log_probs, state = self.model.step(state, tokens)
        assert state.attention is not None
        found = [log_probs, state.attention, *(part for layer in state.layers for part in layer)]
        return (*found, *([] if state.feed is None else [state.feed]))


@torch.no_grad()
def write_graphs(model: Seq2Seq, ports: Mapping[str, Ports], folder: Path) -> dict[str, Ports]:
    """Write `encoder.onnx` and `step.onnx` of a model in evaluation mode with these ports, see `ports_of`.

    The ports of each file come back with all sizes that are not free.
    """
    assert not model.training, "dropout would go into the graphs"
    model = copy.deepcopy(model)
    stepping(model.decoder, _linear)  # the exporter knows layers of torch over a sequence, and not their single steps
    inputs = _example(ports[ENCODER].inputs[0])
    made = _write(EncoderGraph(model), inputs, ports[ENCODER], folder / ENCODER)
    rows = torch.tensor([0, 1, 1])
    known = {name: tensor if name in MEMORY else tensor[rows] for name, tensor in made.items()}
    known |= {"owner": rows, "tokens": rows}
    asked = {port.name: known[port.name] for port in ports[STEP].inputs}
    given = _write(StepGraph(model), asked, ports[STEP], folder / STEP)
    return {ENCODER: _filled(ports[ENCODER], {**inputs, **made}), STEP: _filled(ports[STEP], {**asked, **given})}


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Module:
    """A linear layer (F to D) of torch with this weight and bias."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None, device="meta")
    layer.weight = nn.Parameter(weight.detach())
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach())
    return layer


def _example(source: Port) -> dict[str, Tensor]:
    """Two sources of unequal length, both of which leave several steps, and their lengths."""
    features = [size for size in source.shape if isinstance(size, int)]
    example = torch.zeros(2, 24, *features, dtype=getattr(torch, source.dtype))
    return {"source": example, "lengths": torch.tensor([24, 17])}


def _write(graph: nn.Module, inputs: Mapping[str, Tensor], ports: Ports, path: Path) -> dict[str, Tensor]:
    """Trace a graph at an example of it, and write it; what it gives for the example, by its outputs' names."""
    with warnings.catch_warnings():
        for beginning in HARMLESS:
            warnings.filterwarnings("ignore", beginning)
        torch.onnx.export(
            graph,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=[port.name for port in ports.outputs],
            dynamic_axes={port.name: _free(port) for port in (*ports.inputs, *ports.outputs)},
            opset_version=OPSET,
            dynamo=False,
        )
    complete_scans(path)
    return {port.name: tensor for port, tensor in zip(ports.outputs, graph(*inputs.values()), strict=True)}


def _free(port: Port) -> dict[int, str]:
    return {place: size for place, size in enumerate(port.shape) if isinstance(size, str) and size in FREE}


def _filled(ports: Ports, tensors: Mapping[str, Tensor]) -> Ports:
    """Ports with the sizes of an example where they are not free."""
    return Ports(*([_measured(port, tensors[port.name]) for port in side] for side in (ports.inputs, ports.outputs)))


def _measured(port: Port, tensor: Tensor) -> Port:
    free = _free(port)
    return Port(port.name, port.dtype, [free.get(place, size) for place, size in enumerate(tensor.shape)])
