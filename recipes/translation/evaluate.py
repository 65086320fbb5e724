"""Score a training run on the test parts of its data, beside two baselines, and show some of its translations."""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from recipes.readmes import record_result
from recipes.results import Result
from recipes.running import evaluation_options, run
from recipes.runs import describe, read_manifest
from s2s.data.parallel_text import TextData, open_text
from s2s.evaluation.neighbours import NearestNeighbour
from s2s.evaluation.placeholders import PlaceholderCounts, count_placeholders
from s2s.evaluation.report import placeholder_line, score_lines, score_values
from s2s.evaluation.scores import Score, ScoreOptions, bleu, score_systems, tokenizer_for
from s2s.files import write_json
from s2s.inference.reports import warn_of_cuts
from s2s.inference.translator import TranslationOptions, Translator
from s2s.log import progress, say
from s2s.rng import python_random

SAMPLES = 10
WINDOW = 200
SYSTEMS = {"model": "the model", "copy": "copy of the source", "nearest": "target of the nearest training source"}


@click.command()
@evaluation_options
def command(folder: Path, data_folder: Path, recorded: bool) -> None:
    """Score RUN on every test part of its data, beside two baselines, and write RUN/results.json."""
    manifest = read_manifest(folder, data_folder)
    data = open_text(data_folder)
    translator = Translator.load(folder)
    parts = {name: evaluate_part(data, name, translator) for name in data.manifest["parts"] if name.startswith("test")}
    result = describe(manifest, data) | summarise(parts)
    click.echo("\n".join(report(parts)))
    write_json(folder / "results.json", result)
    if recorded:
        record_result("translation", result)


@dataclass(frozen=True)
class PartResult:
    """One test part: texts, scores by system and metric, BLEU flavours of the model, placeholder counts."""

    sources: list[str]
    references: list[str]
    translations: list[str]
    systems: dict[str, dict[str, Score]]
    flavours: dict[str, Score]
    placeholders: PlaceholderCounts


def evaluate_part(data: TextData, name: str, translator: Translator) -> PartResult:
    """Translate one test part with the run's own search settings and score it."""
    part, train = data.segments(name), data.segments("train")
    sources, references = part.column("source"), part.column("target")
    translations = translate(translator, sources, name)
    say(f"scoring {name} and its baselines")
    tokenize = tokenizer_for(data.languages[1])
    nearest = NearestNeighbour(train.column("source")).nearest(sources)
    targets = [target for _, target in train.texts(nearest)]
    systems = {"model": translations, "copy": sources, "nearest": targets}
    flavours = {"lowercased": ScoreOptions(tokenize, lowercase=True)}
    if tokenize == "13a":
        flavours["lowercased, tokenised by intl"] = ScoreOptions("intl", lowercase=True)
    return PartResult(
        sources,
        references,
        translations,
        score_systems(systems, [references], ScoreOptions(tokenize)),
        {flavour: bleu(translations, [references], options) for flavour, options in flavours.items()},
        count_placeholders(sources, translations),
    )


def translate(translator: Translator, sources: list[str], name: str) -> list[str]:
    """The translations of one part, with progress."""
    windows = (sources[start : start + WINDOW] for start in range(0, len(sources), WINDOW))
    options = TranslationOptions()
    translations = list(progress(translator.stream(windows, options), f"translating {name}", len(sources)))
    warn_of_cuts(sum(translation.cut for translation in translations), translator.settle(options).max_length)
    return [translation.text for translation in translations]


def summarise(parts: dict[str, PartResult]) -> Result:
    """The scores as plain values; the headline is BLEU on the first test part."""
    first = next(iter(parts.values()))
    return {
        "headline": score_values(first.systems["model"])["bleu"] | {"metric": "BLEU"},
        "parts": {name: _part_values(part) for name, part in parts.items()},
        "samples": samples(first),
    }


def _part_values(part: PartResult) -> Result:
    return {
        "segments": len(part.sources),
        "systems": {name: score_values(scores) for name, scores in part.systems.items()},
        "flavours": score_values(part.flavours),
        "placeholders": asdict(part.placeholders),
    }


def samples(part: PartResult) -> list[dict[str, str]]:
    """Segments drawn by a fixed seed, whatever became of them."""
    rows = sorted(python_random(1, "samples").sample(range(len(part.sources)), min(SAMPLES, len(part.sources))))
    return [
        {"source": part.sources[row], "translation": part.translations[row], "reference": part.references[row]}
        for row in rows
    ]


def report(parts: dict[str, PartResult]) -> Iterator[str]:
    """The scores of all parts and some translations, for people."""
    for name, part in parts.items():
        yield f"{name}: {len(part.sources):,} segments"
        for system, scores in part.systems.items():
            yield f"  {SYSTEMS[system]}"
            yield from score_lines(scores, indent="    ")
        yield "  the model, other flavours of BLEU"
        for flavour, score in part.flavours.items():
            yield f"    {flavour}: {score.value:.2f}  {score.signature}"
        yield f"  {placeholder_line(part.placeholders)}"
    for sample in samples(next(iter(parts.values()))):
        yield from ("", *(f"  {kind + ':':<12} {text}" for kind, text in sample.items()))


if __name__ == "__main__":
    run(command)
