"""An exported model on onnxruntime: what the library's search asks of a model, answered by two graphs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from s2s.checkpoint import Loaded, ModelInfo, codec_of, read_info, verify
from s2s.checkpoint.record import ENCODER, STEP
from s2s.errors import ModelError
from s2s.export.fitting import check_ports
from s2s.export.packages import need
from s2s.export.ports import MEMORY
from s2s.nn.decoder import DecoderState, Memory

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FIXED = (*MEMORY, "owner", "tokens")
"""Inputs of a step that every model has; the others are what it carries from step to step."""

SHORT = 8
"""Steps of the source that graphs are tried with."""

FATAL_ONLY = 4
"""Other errors come as exceptions."""


@dataclass(frozen=True)
class Read:
    """What the encoder's graph makes of a batch: the memory, and CTC's log-probabilities (B, S, V) if it has any."""

    memory: Memory
    ctc_log_probs: Tensor | None

    @property
    def mask(self) -> Tensor:
        """True (B, S) at real positions."""
        return self.memory.mask


class OnnxModel:
    """Two sessions as a model that can be searched, see `s2s.decoding.Decodable`; on the CPU, in float32.

    All that a decoder carries passes through `Memory.initial` and `DecoderState.layers` as if it were of one layer.
    """

    training = False
    device = torch.device("cpu")

    def __init__(self, encoder: "InferenceSession", step: "InferenceSession") -> None:
        self.sessions = {ENCODER: encoder, STEP: step}
        self._carried = [port.name for port in step.get_inputs() if port.name not in FIXED]

    @classmethod
    def load(cls, folder: Path) -> "OnnxModel":
        """The graphs in a folder, with as many threads as torch has; ModelError when they are none.

        S2SError: onnxruntime is not installed.
        """
        need("onnxruntime")
        return cls(_session(folder / ENCODER), _session(folder / STEP))

    def read(self, source: Tensor, lengths: Tensor) -> Read:
        """See `Seq2Seq`."""
        found = _run(self.sessions[ENCODER], {"source": source, "lengths": lengths})
        initial = tuple(found[name] for name in self._carried)
        memory = Memory(found["keys"], found["values"], found["mask"], (initial,))
        return Read(memory, found.get("ctc_log_probs"))

    def remember(self, encoded: Read) -> Memory:
        """See `Seq2Seq`."""
        return encoded.memory

    def ctc_log_probs(self, encoded: Read) -> Tensor:
        """See `Seq2Seq`."""
        assert encoded.ctc_log_probs is not None, "the model has no CTC"
        return encoded.ctc_log_probs

    def start(self, memory: Memory) -> DecoderState:
        """See `Seq2Seq`."""
        return DecoderState.first(memory)

    def step(self, state: DecoderState, tokens: Tensor) -> tuple[Tensor, DecoderState]:
        """See `Seq2Seq`."""
        memory, (carried,) = state.memory, state.layers
        inputs = (memory.keys, memory.values, memory.mask, state.owner, tokens, *carried)
        found = _run(self.sessions[STEP], dict(zip((*FIXED, *self._carried), inputs, strict=True)))
        after = tuple(found[f"next_{name}"] for name in self._carried)
        return found["log_probs"], replace(state, layers=(after,), attention=found["next_attention"])


@dataclass(frozen=True)
class ExportedModel(Loaded):
    """Graphs on onnxruntime with all that belongs to them."""

    model: OnnxModel


def load_exported(folder: Path) -> ExportedModel:
    """What `s2s export` wrote, checked.

    ModelError: a file is missing, changed or no graph, or the graphs do not fit each other or the record.
    """
    info = read_info(folder)
    verify(folder, info)
    codec = codec_of(folder, info)
    model = OnnxModel.load(folder)
    check_ports(model.sessions, info, folder)
    _try(model, info, folder)
    return ExportedModel(folder, codec, info, model)


def _try(model: OnnxModel, info: ModelInfo, folder: Path) -> None:
    """Take two steps with the last entries of both vocabularies; ModelError when the graphs do not fit each other.

    Sizes that neither graph tells, and how many entries its embeddings have, show in use alone.
    """
    frames = info.kind == "audio"
    source = torch.zeros(1, SHORT, info.source_size) if frames else torch.full((1, SHORT), info.source_size - 1)
    try:
        state = model.start(model.remember(model.read(source, torch.tensor([SHORT]))))
        for _ in range(2):
            _, state = model.step(state, torch.tensor([info.target_size - 1]))
    except Exception as error:  # those of onnxruntime have no other base
        reason = str(error).splitlines()[0]
        raise ModelError(f"The graphs in {folder} do not fit each other: {reason}. Export the model again.") from error


def _session(path: Path) -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL_ONLY
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no other base
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} is no graph that onnxruntime {onnxruntime.__version__} can run: {reason}") from error


def _run(session: "InferenceSession", inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The outputs of a graph by their names."""
    arrays = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    names = (port.name for port in session.get_outputs())
    return {name: torch.from_numpy(array) for name, array in zip(names, arrays, strict=True)}
