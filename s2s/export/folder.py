"""The folder that `s2s export` writes: graphs, the files of the codec, the record, and a page on how to use them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import s2s
from s2s.checkpoint import ModelInfo, load_model
from s2s.checkpoint.card import model_card
from s2s.checkpoint.model_directory import CARD
from s2s.checkpoint.record import GRAPHS, RECORD, describe
from s2s.config import ModelConfig, to_document
from s2s.export.graphs import write_graphs
from s2s.export.packages import need
from s2s.export.ports import Port, Ports, ports_of
from s2s.files import committed_folder, write_json, write_text
from s2s.text.vocabulary import BOS, EOS, PAD

SOURCES = {
    "text": (
        "- `source` holds ids of the SentencePiece model `source.model`, or `joint.model` where both sides share one,",
        f"  with {EOS} at the end of each. s2s masks placeholders such as `{{name}}` (`s2s/text/placeholders.py`).",
    ),
    "audio": (
        "- `source` holds normalised log-mel features; their rate, window and shift stand in `speech.json`, and how to",
        "  compute them in `s2s/audio/features.py`.",
    ),
}
"""What encoders of each kind read."""

CTC = "- `ctc_log_probs` are of the same ids at each step of the memory, {} being the blank."


def export_onnx(path: Path, output: Path) -> None:
    """Write the model of a model directory or a run (its best checkpoint) as ONNX graphs into a new folder.

    S2SError: onnx is not installed. ModelError: no model that can be read. UsageError: `output` exists.
    """
    need("onnx")
    with committed_folder(output) as folder:
        loaded = load_model(path)
        loaded.codec.save(folder)
        told = ports_of(loaded.config, loaded.info.source_size, loaded.info.target_size)
        ports = write_graphs(loaded.model, told, folder)
        changes = {
            "format": "s2s onnx model",
            "decoding": loaded.decoding,
            "written_by": f"{loaded.info.written_by}, exported by s2s {s2s.__version__}",
            "files": describe(folder, [*GRAPHS, *sorted(loaded.codec.files)]),
        }
        info = loaded.info.model_copy(update=changes)
        write_json(folder / RECORD, to_document(info))
        write_text(folder / CARD, model_card(info) + "\n".join(["", *_lines(info, ports), ""]))


def _lines(info: ModelInfo, ports: Mapping[str, Ports]) -> Iterator[str]:
    """How to run the graphs without s2s, in Markdown."""
    yield from ("## How to run its graphs without s2s", "")
    yield from ("Any program that runs ONNX will do. Sizes that are free have names.", "")
    for name, graph in ports.items():
        yield from (f"`{name}`", "", "| | name | type | shape |", "|---|---|---|---|")
        yield from (_row("in", port) for port in graph.inputs)
        yield from (_row("out", port) for port in graph.outputs)
        yield ""
    yield from SOURCES[info.kind]
    yield from (
        "- `lengths` counts what is real of each source, 1 or more; padding may hold anything.",
        "- `owner` names the source that each row of a step reads, counted from 0; several rows may read one.",
        f"- `tokens` are the last of each row, {BOS} at first. {EOS} ends a row; {PAD} and {BOS} must not be chosen.",
        "- What else a step takes for each row is at first what `encoder.onnx` gives by the same name for its `owner`,",
        "  and then what the step before gave by that name with `next_` in front for the row that it goes on from.",
        "- `log_probs` are natural logarithms; `next_attention` tells where each row looked.",
        *([CTC.format(PAD)] if isinstance(info.model, ModelConfig) and info.model.ctc else []),
    )


def _row(side: str, port: Port) -> str:
    return f"| {side} | `{port.name}` | {port.dtype} | {', '.join(map(str, port.shape))} |"
