"""Evaluation of a transcription run: baseline, lengths apart, recorded tables."""

import json
from pathlib import Path

import jiwer
import pytest

from recipes import readmes
from recipes.results import read_results
from recipes.transcription import evaluate
from s2s.data.speech import SpeechData, open_speech
from s2s.inference.transcriber import Transcriber, TranscriptionOptions
from s2s.inference.transcripts import Passage, Transcript
from tests.tones import prepare_tones


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> SpeechData:
    return open_speech(prepare_tones(tmp_path_factory.mktemp("tones")))


class Oracle:
    """A transcriber that knows the references, but for the last word of each."""

    def __init__(self, data: SpeechData) -> None:
        self.references = data.segments("test").references()

    def stream_samples(self, recordings: object, options: TranscriptionOptions) -> object:
        for number, (reference, _) in enumerate(zip(self.references, recordings, strict=True), start=1):  # type: ignore[call-overload]
            text = " ".join(reference.split()[:-1])
            yield Transcript(str(number), "", 1.0, (Passage(0.0, 1.0, text, 0.0, (), ()),))


@pytest.fixture
def part(data: SpeechData) -> evaluate.PartResult:
    oracle: Transcriber = Oracle(data)  # type: ignore[assignment]
    return evaluate.evaluate_part(data.segments("test"), "test", oracle, "low")


def test_rates_are_those_of_the_texts(part: evaluate.PartResult) -> None:
    words = sum(len(reference.split()) for reference in part.references)
    found = part.systems["model"]["wer"]
    assert (found.deletions, found.insertions, found.substitutions) == (len(part.references), 0, 0)
    assert found.value == pytest.approx(100 * len(part.references) / words)
    right = sum("low" in reference.split() for reference in part.references)
    assert part.systems["constant"]["wer"].errors == words - right


def test_short_and_longer_segments_stand_apart(part: evaluate.PartResult) -> None:
    short = [reference for reference in part.references if len(reference.split()) == 1]
    assert part.by_length["one word"]["ser"].reference_length == len(short)
    assert part.by_length["one word"]["wer"].value == 100.0
    assert part.by_length["several words"]["ser"].reference_length == len(part.references) - len(short)


def test_the_constant_is_the_best_on_dev(data: SpeechData) -> None:
    constant = evaluate.best_constant(data)
    references = data.segments("dev").references()

    def wer(text: str) -> float:
        return jiwer.wer(references, [text] * len(references))

    assert wer(constant) == min(map(wer, ["", *data.segments("train").references()]))


def test_a_recorded_run_stands_in_both_readmes(
    part: evaluate.PartResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes = tmp_path / "recipes"
    folder = recipes / "transcription"
    folder.mkdir(parents=True)
    monkeypatch.setattr(readmes, "HERE", recipes)
    marked = "".join(
        f"<!-- {name} -->\n<!-- end of {name} -->\n" for name in ("results", "runs", "samples", "ablations")
    )
    (folder / "README.md").write_text(f"# Title\n{marked}the end\n")
    (recipes / "README.md").write_text("<!-- overview -->\n<!-- end of overview -->\n")
    facts = {"corpus": "tones", "languages": "en", "config": "tones.toml", "seed": 1, "minutes": 2.0, "commit": None}
    machine = {"hardware": "a machine", "threads": 2, "versions": {"torch": "2"}}
    result = json.loads(json.dumps(facts | machine | evaluate.summarise({"test": part})))
    readmes.record_result("transcription", result)
    assert read_results(folder / "results.json") == [result]
    wer = result["parts"]["test"]["systems"]["model"]["wer"]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert f"| test | 8 | {wer['score']:.2f} ({wer['interval_95'][0]:.2f} to {wer['interval_95'][1]:.2f}) |" in readme
    assert f"- WER: `{wer['signature']}`" in readme
    assert "test, one word" in readme
    assert f"| WER {wer['score']:.2f} | 2.0 min |" in (recipes / "README.md").read_text(encoding="utf-8")
    assert "\n".join(evaluate.report({"test": part})).startswith("test: 8 segments")
