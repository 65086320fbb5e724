"""What a model's precisions cost in quality and gain in time on this machine, measured on a part of prepared data."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from s2s.checkpoint import read_info, resolve
from s2s.data.prepared import open_data
from s2s.errors import UsageError
from s2s.hardware import has_bfloat16, has_int8
from s2s.inference import load
from s2s.inference.language import TextGenerator
from s2s.inference.parts import decode_part, score_part
from s2s.log import say


@dataclass(frozen=True)
class PrecisionScore:
    """The score of a precision, its difference from that of float32, and how many times faster it was."""

    precision: str
    metric: str
    value: float
    signature: str
    difference: float
    speed: float


def compare_precisions(model: Path, data: Path, part: str = "dev") -> list[PrecisionScore]:
    """What each precision that processor and model have gives on a part of DATA, with the model's own search settings.

    UsageError: the model reads text and DATA holds audio, or the other way round.
    """
    rows: list[PrecisionScore] = []
    segments = open_data(data).segments(part)
    base = 0.0
    for precision in _precisions(model):
        say(f"decoding {part} in {precision}")
        found = load(model, precision=precision)
        if isinstance(found, TextGenerator):
            raise UsageError(f"{model} is a language model, which decodes nothing: use `s2s evaluate perplexity`.")
        started = time.perf_counter()
        texts = decode_part(found, segments, data)
        seconds = time.perf_counter() - started
        base = base or seconds
        score = score_part(found, texts, segments.references())
        difference = score.value - rows[0].value if rows else 0.0
        rows.append(PrecisionScore(precision, score.metric, score.value, score.signature, difference, base / seconds))
    return rows


def _precisions(model: Path) -> Iterator[str]:
    yield "float32"
    if read_info(resolve(model)).format == "s2s onnx model":
        return  # graphs have no other
    if has_bfloat16(torch.device("cpu")):
        yield "bfloat16"
    if has_int8():
        yield "int8"
