"""What a model's precisions cost in quality and gain in time on this machine, measured on a part of prepared data."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from s2s.checkpoint import read_info, resolve
from s2s.data.parallel_text import TextSegments
from s2s.data.prepared import open_data
from s2s.data.speech import SpeechSegments
from s2s.errors import UsageError
from s2s.evaluation.error_rates import wer_and_cer
from s2s.evaluation.scores import ScoreOptions, bleu, tokenizer_for
from s2s.hardware import has_bfloat16, has_int8
from s2s.inference import load
from s2s.inference.language import TextGenerator
from s2s.inference.transcriber import Transcriber, TranscriptionOptions
from s2s.inference.translator import Translator
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
        texts = _texts(found, segments, model, data)
        seconds = time.perf_counter() - started
        base = base or seconds
        metric, value, signature = _score(found, texts, segments.references())
        difference = value - rows[0].value if rows else 0.0
        rows.append(PrecisionScore(precision, metric, value, signature, difference, base / seconds))
    return rows


def _precisions(model: Path) -> Iterator[str]:
    yield "float32"
    if read_info(resolve(model)).format == "s2s onnx model":
        return  # graphs have no other
    if has_bfloat16(torch.device("cpu")):
        yield "bfloat16"
    if has_int8():
        yield "int8"


def _texts(found: Translator | Transcriber, segments: object, model: Path, data: Path) -> list[str]:
    if isinstance(found, Translator) and isinstance(segments, TextSegments):
        return [translation.text for translation in found.translate(segments.column("source"))]
    if isinstance(found, Transcriber) and isinstance(segments, SpeechSegments):
        samples = ((segments.samples(record), segments.speaker(record)) for record in segments.records())
        return [transcript.text for transcript in found.stream_samples(samples, TranscriptionOptions())]
    raise UsageError(f"{model} does not read what {data} holds: one is of text, the other of audio.")


def _score(found: Translator | Transcriber, texts: list[str], references: list[str]) -> tuple[str, float, str]:
    if isinstance(found, Translator):
        score = bleu(texts, [references], ScoreOptions(tokenizer_for(found.languages[1])))
        return score.metric, score.value, score.signature
    rate, _ = wer_and_cer(texts, references)
    return rate.metric, rate.value, rate.signature
