"""Perplexity of a training run on the test parts of its data, beside n-grams of the same tokens; lines it writes."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from recipes.language_model.comparison import Comparison, compare
from recipes.readmes import record_result
from recipes.results import Result
from recipes.running import evaluation_options, run
from recipes.runs import describe, read_manifest
from s2s.data.monolingual import MonolingualData
from s2s.data.prepared import open_data
from s2s.errors import DataError, S2SError
from s2s.evaluation.perplexity import Perplexity, perplexities
from s2s.files import write_json
from s2s.inference.language import TextGenerator
from s2s.log import progress, say

SAMPLES = 10
SEED = 1
BATCH_TOKENS = 2048
SYSTEMS = {"model": "the model", "ngram": "n-grams"}


@click.command()
@evaluation_options
def command(folder: Path, data_folder: Path, recorded: bool) -> None:
    """Score RUN on every test part of its data, beside n-grams of the same tokens, and write RUN/results.json."""
    manifest = read_manifest(folder, data_folder)
    data = open_data(data_folder)
    if not isinstance(data, MonolingualData):
        raise DataError(f"{data_folder} holds {data.codec.kind}, and no text of one language.")
    generator = TextGenerator.load(folder)
    names = [name for name in data.manifest["parts"] if name.startswith("test")]
    baseline = learn_baseline(data, names)
    parts = {name: evaluate_part(data, name, generator, baseline) for name in names}
    result = describe(manifest, data) | summarise(parts, baseline) | {"samples": samples(generator)}
    click.echo("\n".join(report(result)))
    write_json(folder / "results.json", result)
    if recorded:
        record_result("language_model", result)


@dataclass(frozen=True)
class Baseline:
    """What n-grams say of lines, and what kind of n-grams they are."""

    description: str
    log_probs: Mapping[str, list[float]]


@dataclass(frozen=True)
class PartResult:
    """One test part: perplexities by system, and how the model compares with the n-grams per word."""

    lines: int
    systems: Mapping[str, list[Perplexity]]
    comparison: Comparison


def learn_baseline(data: MonolingualData, names: Sequence[str]) -> Baseline:
    """N-grams of the training part with the discount that suits dev best; S2SError without nltk."""
    if find_spec("nltk") is None:
        raise S2SError("nltk is not installed, and the n-grams of this recipe need it: pip install -e '.[ngram]'.")
    from recipes.language_model.ngram import NgramModel

    say("learning n-grams and tuning their discount on dev: a minute for each million tokens or so")
    model = NgramModel(token_ids(data, "train"), data.codec.target.size)
    model.tune(token_ids(data, "dev"))
    return Baseline(model.describe(), {name: model.log_probs(token_ids(data, name)) for name in names})


def token_ids(data: MonolingualData, name: str) -> list[list[int]]:
    """The lines of a part as ids that end with EOS."""
    found: list[list[int]] = data.table(name).data.column("target_ids").to_pylist()
    return found


def evaluate_part(data: MonolingualData, name: str, generator: TextGenerator, baseline: Baseline) -> PartResult:
    """Score one test part with the model, as `s2s evaluate perplexity` does, and compare."""
    texts, ids = data.segments(name).references(), token_ids(data, name)
    scores = progress(generator.stream_scores([texts], BATCH_TOKENS), f"scoring {name}", len(texts))
    log_probs = {"model": [score.log_prob for score in scores], "ngram": baseline.log_probs[name]}
    counted = [generator.counted(text) for text in texts]
    contexts = {"model": generator.context, "ngram": "line"}
    systems = {
        system: perplexities(
            [(text, len(line) - 1, value) for text, line, value in zip(counted, ids, values, strict=True)],
            contexts[system],
            generator.tokenizer_name,
        )
        for system, values in log_probs.items()
    }
    return PartResult(len(texts), systems, compare(counted, log_probs["model"], log_probs["ngram"]))


def summarise(parts: Mapping[str, PartResult], baseline: Baseline) -> Result:
    """The scores as plain values; the headline is perplexity per word on the first test part."""
    values = {name: _part_values(part) for name, part in parts.items()}
    headline = next(iter(values.values()))["systems"]["model"]["word"]
    return {
        "headline": {"metric": "perplexity per word", **{key: headline[key] for key in ("score", "signature")}},
        "baseline": baseline.description,
        "parts": values,
    }


def _part_values(part: PartResult) -> dict[str, Any]:
    systems = {
        system: {one.unit: {"score": one.value, "count": one.count, "signature": one.signature} for one in found}
        for system, found in part.systems.items()
    }
    return {"lines": part.lines, "systems": systems, "comparison": asdict(part.comparison)}


def samples(generator: TextGenerator) -> list[dict[str, str]]:
    """Lines of a fixed seed, whatever became of them: those of `s2s generate RUN --samples 10 --seed 1`."""
    return [{"line": sample.text} for sample in generator.generate(samples=SAMPLES, seed=SEED)]


def report(result: Result) -> Iterator[str]:
    """The scores of all parts and the lines that were written, for people."""
    yield f"n-grams: {result['baseline']}"
    for name, part in result["parts"].items():
        yield f"{name}: {part['lines']:,} lines"
        for system, units in part["systems"].items():
            yield f"  perplexity of {SYSTEMS[system]}"
            yield from (f"    per {unit}: {one['score']:.2f}  {one['signature']}" for unit, one in units.items())
        compared = part["comparison"]
        lower, upper = compared["interval_95"]
        yield (
            f"  the model's is {compared['reduction']:.1f} % lower per word "
            f"(95 %: {lower:.1f} to {upper:.1f})  {compared['signature']}"
        )
    yield from ("", "lines that the model writes:", *(f"  {sample['line']}" for sample in result["samples"]))


if __name__ == "__main__":
    run(command)
