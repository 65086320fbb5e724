"""From prepare.py over train.py to evaluate.py on a small slice, and how perplexities are compared."""

import json
import math
from pathlib import Path

import pytest

from recipes import readmes
from recipes.language_model import evaluate
from recipes.language_model.comparison import compare
from recipes.results import read_results
from s2s.cli.main import main
from s2s.data.monolingual import MonolingualData
from s2s.data.prepared import open_data
from s2s.errors import DataError, S2SError
from tests.language import prepare_lines

CONFIG = """
[model]
kind = "language-model"
embedding_width = 16
width = 16
[training]
max_updates = 12
batch_tokens = 200
warmup_updates = 3
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with prepared lines in `data`, and in `run` what a few updates made of them."""
    folder = tmp_path_factory.mktemp("slice")
    prepare_lines(folder)
    (folder / "small.toml").write_text(CONFIG, encoding="utf-8")
    arguments = ["train", folder / "small.toml", "--data", folder / "data", "--output", folder / "run"]
    assert main([str(argument) for argument in arguments]) == 0
    return folder


def uniform(data: MonolingualData, names: list[str]) -> evaluate.Baseline:
    """A baseline that finds all tokens equally likely."""
    each = -math.log(data.codec.target.size)
    return evaluate.Baseline(
        "uniform", {name: [each * len(ids) for ids in evaluate.token_ids(data, name)] for name in names}
    )


def call(*arguments: object) -> None:
    """The script's command in this process."""
    evaluate.command.main([str(argument) for argument in arguments], standalone_mode=False)


def test_perplexities_are_those_of_the_library(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same figures and signatures as `s2s evaluate perplexity`, and the lines of `s2s generate`."""
    monkeypatch.setattr(evaluate, "learn_baseline", uniform)
    call(folder / "run", "--data", folder / "data")
    printed = capsys.readouterr().out
    result = json.loads((folder / "run" / "results.json").read_text(encoding="utf-8"))
    units = result["parts"]["test"]["systems"]["model"]
    main(["evaluate", "perplexity", str(folder / "run"), str(folder / "test"), "--json"])
    told = json.loads(capsys.readouterr().out)
    for unit, one in told.items():
        assert units[unit]["score"] == pytest.approx(one["perplexity"])
        assert (units[unit]["count"], units[unit]["signature"]) == (one["count"], one["signature"])
    main(["generate", str(folder / "run"), "--samples", "10", "--seed", "1"])
    assert [sample["line"] for sample in result["samples"]] == capsys.readouterr().out.splitlines()
    data = open_data(folder / "data")
    assert isinstance(data, MonolingualData)
    assert result["parts"]["test"]["systems"]["ngram"]["token"]["score"] == pytest.approx(data.codec.target.size)
    assert result["headline"]["score"] == units["word"]["score"]
    assert "% lower per word" in printed


def test_both_models_are_compared_line_by_line() -> None:
    """Twice the probability for each word: half the perplexity, whatever lines are drawn."""
    texts, baseline = ["a b c", "d", "e f"], [-9.0, -2.5, -7.0]
    model = [value + math.log(2) * (len(text.split()) + 1) for text, value in zip(texts, baseline, strict=True)]
    found = compare(texts, model, baseline)
    assert found.reduction == pytest.approx(50, abs=1e-3)
    assert found.interval_95 == pytest.approx((50, 50), abs=1e-3)
    lower, upper = found.baseline_interval_95
    assert lower < math.exp(18.5 / 9) < upper
    assert compare(texts, [value - 500 for value in baseline], baseline).reduction < 0


def test_a_run_with_ngrams_is_recorded_in_both_readmes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nltk's n-grams of the same tokens."""
    pytest.importorskip("nltk")
    recipes = tmp_path / "recipes"
    (recipes / "language_model").mkdir(parents=True)
    monkeypatch.setattr(readmes, "HERE", recipes)
    marks = "".join(f"<!-- {name} -->\n<!-- end of {name} -->\n" for name in ("results", "runs", "samples"))
    (recipes / "language_model" / "README.md").write_text(marks)
    (recipes / "README.md").write_text("<!-- overview -->\n<!-- end of overview -->\n")
    call(folder / "run", "--data", folder / "data", "--record")
    (result,) = read_results(recipes / "language_model" / "results.json")
    assert result["baseline"].startswith("Kneser-Ney, order 5, discount ")
    ngram = result["parts"]["test"]["systems"]["ngram"]
    assert 1 < ngram["token"]["score"] < 20
    written = (recipes / "language_model" / "README.md").read_text(encoding="utf-8")
    assert f"| {ngram['token']['score']:.2f} | {ngram['word']['score']:.2f} (" in written
    assert f"- per word: `{ngram['word']['signature']}`" in written
    assert "perplexity per word" in (recipes / "README.md").read_text(encoding="utf-8")


def test_what_cannot_be_scored_is_told_in_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data of another kind, and a machine without nltk."""
    monkeypatch.setattr(evaluate, "read_manifest", lambda *paths: {})
    monkeypatch.setattr(evaluate, "open_data", lambda path: SomethingElse())
    with pytest.raises(DataError, match="holds audio, and no text of one language"):
        call(folder / "run", "--data", folder / "data")
    monkeypatch.setattr(evaluate, "find_spec", lambda name: None)
    with pytest.raises(S2SError, match="nltk is not installed"):
        evaluate.learn_baseline(SomethingElse(), [])


class SomethingElse:
    """Prepared data that is no text of one language."""

    class codec:
        """What its sources are made of."""

        kind = "audio"
