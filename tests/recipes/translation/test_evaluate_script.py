"""evaluate.py: scores of a finished run beside two baselines, and where they are written."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recipes import readmes, runs
from recipes.results import read_results
from recipes.translation import evaluate
from s2s.data.parallel_text import open_text
from s2s.data.prepare_text import PrepareTextOptions, prepare_text
from s2s.errors import UsageError
from s2s.files import sha256, write_json, write_text
from s2s.inference.translator import Translator
from s2s.text.readers import Side

TRAIN = [("Turn on the light", "Schalte das Licht ein"), ("Turn off {name}", "Schalte {name} aus")] + [
    (f"Number {number} is {word}", f"Die Nummer {number} ist {wort}")
    for number in range(20)
    for word, wort in (("good", "gut"), ("bad", "schlecht"))
]
TEST = [
    ("Turn off the {name} light", "Schalte das Licht {name} aus"),
    ("{name} is good", "{name} ist gut"),
    ("Number 7 is very bad", "Die Nummer 7 ist sehr schlecht"),
]


class Oracle:
    """A translator that knows the test, but loses the placeholder of its second segment."""

    def stream(self, windows: Iterable[list[str]], options: object) -> Iterator[SimpleNamespace]:
        """One translation for each line."""
        known = dict(TEST) | {TEST[1][0]: "Es ist gut"}
        for window in windows:
            yield from (SimpleNamespace(text=known[line], cut=line == TEST[2][0]) for line in window)

    def settle(self, options: object) -> SimpleNamespace:
        """The limit that cut one of the lines."""
        return SimpleNamespace(max_length=4)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared data with two test parts."""
    folder = tmp_path_factory.mktemp("corpus")
    parts = {}
    for name, pairs in {"train": TRAIN, "dev": TRAIN[:2], "test": TEST, "test_more": TEST[:1]}.items():
        files = (folder / f"{name}.en", folder / f"{name}.de")
        for side, file in enumerate(files):
            write_text(file, "".join(f"{pair[side]}\n" for pair in pairs))
        parts[name] = (Side(str(files[0])), Side(str(files[1])))
    prepare_text(PrepareTextOptions(parts, ("en", "de"), folder / "things-en-de"))
    return folder / "things-en-de"


@pytest.fixture
def run(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run whose model is the oracle."""
    monkeypatch.setattr(Translator, "load", lambda path: Oracle())
    folder = tmp_path / "run"
    folder.mkdir()
    write_json(folder / "manifest.json", manifest(data))
    return folder


def manifest(data: Path, **changes: Any) -> dict[str, Any]:
    """What training writes about a run."""
    return {
        "finished": True,
        "seed": 3,
        "minutes": 9.5,
        "commit": "0123456789abcdef",
        "hardware": "a processor",
        "threads": 2,
        "versions": {"torch": "2.13.0"},
        "command": ["train.py", "a/things.toml", "--data", "x", "--set", "seed=3", "--set", "model.bridge=zeros"],
        "data_sha256": sha256(data / "manifest.json"),
        **changes,
    }


def call(*arguments: object) -> None:
    """The script's command in this process."""
    evaluate.command.main([str(argument) for argument in arguments], standalone_mode=False)


def test_the_model_and_both_baselines_are_scored(data: Path) -> None:
    """The copy is the source; the neighbour's target comes from training; placeholders are those of the source."""
    part = evaluate.evaluate_part(open_text(data), "test", Oracle())
    bleu = {name: scores["bleu"].value for name, scores in part.systems.items()}
    assert bleu["model"] > bleu["nearest"] > bleu["copy"]
    assert part.placeholders.expected == 2
    assert part.placeholders.lost == 1
    assert part.flavours["lowercased"].value == pytest.approx(bleu["model"])
    assert "|tok:intl|" in part.flavours["lowercased, tokenised by intl"].signature


def test_the_nearest_neighbour_answers_with_its_own_target(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with its source, nor with the target of another row."""
    seen: dict[str, Any] = {}
    monkeypatch.setattr(evaluate, "score_systems", lambda systems, *rest: seen.update(systems) or {})
    evaluate.evaluate_part(open_text(data), "test", Oracle())
    assert seen["copy"] == [source for source, _ in TEST]
    assert seen["nearest"] == ["Schalte {name} aus", "Schalte {name} aus", "Die Nummer 7 ist schlecht"]


def test_results_are_printed_and_written_into_the_run(
    run: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every part whose name begins with test; the first makes the headline and the samples."""
    call(run, "--data", data)
    result = json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert (result["corpus"], result["languages"], result["seed"]) == ("things-en-de", "en-de", 3)
    assert result["config"] == "things.toml model.bridge=zeros"
    assert result["minutes"] == 9.5
    assert list(result["parts"]) == ["test", "test_more"]
    assert result["headline"]["score"] == result["parts"]["test"]["systems"]["model"]["bleu"]["score"]
    assert result["parts"]["test_more"]["systems"]["model"]["bleu"]["score"] == 100
    assert [sample["reference"] for sample in result["samples"]] == [target for _, target in TEST]
    captured = capsys.readouterr()
    assert "1 line was longer than 4 tokens" in captured.err
    printed = captured.out
    for text in ("target of the nearest training source", "copy of the source", "nrefs:1|", "2 expected, 1 lost"):
        assert text in printed


def test_corpora_prepared_by_the_recipe_are_called_by_their_name(data: Path, tmp_path: Path) -> None:
    """Other data by its folder."""
    assert runs.corpus_name(data) == "things-en-de"
    write_json(tmp_path / "corpus.json", {"corpus": "ui_strings"})
    assert runs.corpus_name(tmp_path) == "ui_strings"


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"finished": False}, "has not ended"), ({"data_sha256": "0" * 64}, "trained on other data")],
)
def test_runs_that_cannot_be_compared_are_refused(run: Path, data: Path, changes: Any, message: str) -> None:
    """Unfinished ones, and those that may have seen the test; nothing is written."""
    write_json(run / "manifest.json", manifest(data, **changes))
    with pytest.raises(UsageError, match=message):
        call(run, "--data", data)
    (run / "manifest.json").unlink()
    with pytest.raises(UsageError, match=r"manifest\.json is missing"):
        call(run, "--data", data)
    assert list(run.iterdir()) == []


def test_a_recorded_run_stands_in_both_readmes(
    run: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables are written anew; the text around them stays."""
    recipes = tmp_path / "recipes"
    folder = recipes / "translation"
    folder.mkdir(parents=True)
    monkeypatch.setattr(readmes, "HERE", recipes)
    marked = "".join(
        f"<!-- {name} -->\n<!-- end of {name} -->\n" for name in ("results", "runs", "samples", "ablations", "cells")
    )
    (folder / "README.md").write_text(f"# Title\n{marked}the end\n")
    (recipes / "README.md").write_text("<!-- overview -->\n<!-- end of overview -->\n")
    call(run, "--data", data, "--record")
    call(run, "--data", data, "--record")
    (result,) = read_results(folder / "results.json")
    bleu = result["parts"]["test"]["systems"]["model"]["bleu"]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# Title\n")
    assert readme.endswith("the end\n")
    assert f"| test | {bleu['score']:.2f} ± {bleu['confidence_95']:.2f} |" in readme
    assert f"- BLEU: `{bleu['signature']}`" in readme
    assert "| 1 of 3, 0 invented | `0123456789` |" in readme
    assert "| {name} is good | Es ist gut | {name} ist gut |" in readme
    assert f"| BLEU {bleu['score']:.2f} | 9.5 min |" in (recipes / "README.md").read_text(encoding="utf-8")
