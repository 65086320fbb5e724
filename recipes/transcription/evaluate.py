"""Score a training run on the test parts of its data, beside the best constant transcript, and show some texts."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from recipes.readmes import record_result
from recipes.results import Result
from recipes.running import evaluation_options, run
from recipes.runs import describe, read_manifest
from s2s.data.speech import SpeechData, SpeechSegments, open_speech
from s2s.evaluation.error_rates import Rate, compare_systems, error_rates, wer_and_cer
from s2s.evaluation.error_report import rate_lines, rate_values
from s2s.files import write_json
from s2s.inference.transcriber import Transcriber, TranscriptionOptions
from s2s.log import progress, say
from s2s.rng import python_random

SAMPLES = 10
CONSTANTS = 300
"""The most frequent transcripts of training that are tried as the answer to everything."""

SYSTEMS = {"model": "the model", "constant": "the best constant transcript"}
LENGTHS: Mapping[str, Callable[[int], bool]] = {
    "one word": lambda words: words == 1,
    "several words": lambda words: words > 1,
}


@click.command()
@evaluation_options
def command(folder: Path, data_folder: Path, recorded: bool) -> None:
    """Score RUN on every test part of its data, beside a baseline, and write RUN/results.json."""
    manifest = read_manifest(folder, data_folder)
    data = open_speech(data_folder)
    transcriber = Transcriber.load(folder)
    constant = best_constant(data)
    parts = {
        name: evaluate_part(data.segments(name), name, transcriber, constant)
        for name in data.manifest["parts"]
        if name.startswith("test")
    }
    result = describe(manifest, data) | summarise(parts)
    click.echo("\n".join(report(parts)))
    write_json(folder / "results.json", result)
    if recorded:
        record_result("transcription", result)


@dataclass(frozen=True)
class PartResult:
    """One test part: texts, error rates by system and metric, those of the model by length, and the time it took."""

    references: list[str]
    texts: list[str]
    systems: Mapping[str, Mapping[str, Rate]]
    by_length: Mapping[str, Mapping[str, Rate]]
    audio_seconds: float
    seconds: float


def evaluate_part(part: SpeechSegments, name: str, transcriber: Transcriber, constant: str) -> PartResult:
    """Transcribe one test part with the run's own search settings and score it."""
    references, speakers = part.references(), part.column("speaker")
    known = speakers if None not in speakers else None
    started = time.monotonic()
    texts = transcribe(transcriber, part, name)
    passed = time.monotonic() - started
    say(f"scoring {name} and its baseline")
    systems = {"model": texts, "constant": [constant] * len(texts)}
    return PartResult(
        references,
        texts,
        compare_systems(systems, references, speakers=known),
        dict(_by_length(texts, references, known)),
        sum(part.column("seconds")),
        passed,
    )


def transcribe(transcriber: Transcriber, part: SpeechSegments, name: str) -> list[str]:
    """The texts of one part, with progress."""
    samples = ((part.samples(record), part.speaker(record)) for record in part.records())
    transcripts = transcriber.stream_samples(samples, TranscriptionOptions())
    return [transcript.text for transcript in progress(transcripts, f"transcribing {name}", len(part))]


def _by_length(
    texts: Sequence[str], references: Sequence[str], speakers: Sequence[str] | None
) -> Iterator[tuple[str, dict[str, Rate]]]:
    """The rates of short and of longer segments apart, where there are both."""
    for name, belongs in LENGTHS.items():
        rows = [row for row, reference in enumerate(references) if belongs(len(reference.split()))]
        if 0 < len(rows) < len(references):
            of_speakers = None if speakers is None else [speakers[row] for row in rows]
            yield name, error_rates([texts[row] for row in rows], [references[row] for row in rows], None, of_speakers)


def best_constant(data: SpeechData) -> str:
    """The transcript of training, or the empty one, that has the lowest WER as the answer to all of dev."""
    references = data.segments("dev").references()
    frequent = [text for text, _ in Counter(data.segments("train").references()).most_common(CONSTANTS)]
    rates = {text: wer_and_cer([text] * len(references), references)[0].value for text in ["", *frequent]}
    return min(rates, key=rates.__getitem__)


def summarise(parts: dict[str, PartResult]) -> Result:
    """The scores as plain values; the headline is WER on the first test part."""
    first = next(iter(parts.values()))
    headline = rate_values(first.systems["model"])["wer"]
    return {
        "headline": {"metric": "WER", "score": headline["score"], "signature": headline["signature"]},
        "parts": {name: _part_values(part) for name, part in parts.items()},
        "samples": samples(first),
    }


def _part_values(part: PartResult) -> Result:
    return {
        "segments": len(part.texts),
        "audio_seconds": round(part.audio_seconds, 1),
        "real_time_factor": round(part.seconds / part.audio_seconds, 4),
        "systems": {name: rate_values(rates) for name, rates in part.systems.items()},
        "by_length": {name: rate_values(rates) for name, rates in part.by_length.items()},
    }


def samples(part: PartResult) -> list[dict[str, str]]:
    """Segments drawn by a fixed seed, whatever became of them."""
    rows = sorted(python_random(1, "samples").sample(range(len(part.texts)), min(SAMPLES, len(part.texts))))
    return [{"reference": part.references[row], "transcript": part.texts[row]} for row in rows]


def report(parts: dict[str, PartResult]) -> Iterator[str]:
    """The scores of all parts and some transcripts, for people."""
    for name, part in parts.items():
        yield f"{name}: {len(part.texts):,} segments, {part.audio_seconds / 60:.1f} minutes"
        for system, rates in part.systems.items():
            yield f"  {SYSTEMS[system]}"
            yield from rate_lines(rates, indent="    ")
        for length, rates in part.by_length.items():
            yield f"  the model, segments of {length}"
            yield from rate_lines(rates, indent="    ")
        yield f"  real-time factor {part.seconds / part.audio_seconds:.3f}"
    for sample in samples(next(iter(parts.values()))):
        yield from ("", *(f"  {kind + ':':<12} {text}" for kind, text in sample.items()))


if __name__ == "__main__":
    run(command)
