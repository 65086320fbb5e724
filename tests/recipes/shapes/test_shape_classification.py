"""Many to one: languages of strings, spoken digits, and their baselines."""

import math
import random
from pathlib import Path

import numpy
import pytest
import soundfile
import torch

from recipes.shapes.classification import digits, languages
from recipes.shapes.classification.naive_bayes import ADDED, NaiveBayes, pieces, tuned
from recipes.transcription.corpora.digits import RATE
from s2s.errors import DataError, UsageError
from tests.recipes.shapes.running import read_small, run_small, scores_of
from tests.recipes.transcription.conftest import Record
from tests.recipes.translation.test_ui_strings import component_in, make_wheel

WORDS = {language: [f"{language}{letter * 3}" for letter in "abcdefghijklmno"] for language in languages.LANGUAGES}


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Strings in ten languages; all share one, and every part has one that training has, too."""
    components = {}
    for number, part in enumerate(("train", "dev", "test")):
        rows = range(5 * number, 5 * number + 5)
        components[component_in(part)] = {
            language: {
                **{f"k{row}": f"{words[row]} {{name}} {words[row]}" for row in rows},
                "again": f"{language}pqr" if language != "en" else f"english {part}",
                "shared": "Radio OK" if language != "en" else "Wireless OK",
            }
            for language, words in WORDS.items()
        }
    make_wheel(tmp_path, components, monkeypatch)
    return tmp_path


def test_languages_from_end_to_end(wheel: Path, tmp_path: Path) -> None:
    result = run_small("classification/languages.toml", tmp_path, from_dir=wheel)
    scores = scores_of(result)
    assert scores["most frequent language"] == {"accuracy": pytest.approx(10.0, abs=2)}
    assert scores["naive Bayes, up to 3 characters"]["accuracy"] > 80
    assert (result["corpus"], result["languages"]) == ("ui_strings", "10 languages")


def test_no_string_is_in_two_languages_or_parts(wheel: Path) -> None:
    parts = languages.read(languages.Data(kind="languages"), wheel)
    texts = {name: [text for text, _ in part] for name, part in parts.items()}
    every = [text for part in texts.values() for text in part]
    assert len(every) == len(set(every))
    assert "Radio OK" not in every
    assert not any("{" in text for text in every)
    assert ["depqr" in texts[name] for name in ("train", "dev", "test")] == [True, False, False]
    assert set(texts["test"]) & {"deaaa deaaa", "dekkk dekkk"} == {"dekkk dekkk"}
    few = languages.read(languages.Data(kind="languages", train=2), wheel)
    assert len(few["train"]) == 2 * len(languages.LANGUAGES)


def test_naive_bayes_is_what_the_formula_says() -> None:
    """Two letters, one label each: add-one smoothing over the pieces that were seen."""
    bayes = NaiveBayes([("aa", 0), ("aa", 0), ("b", 1)], 3)
    assert [bayes.label(text) for text in ("a", "aaa", "b", "bb")] == [0, 0, 1, 1]
    # "aa" has 9 pieces, 4 of them "a" in two texts; 7 different ones stand in it, and 4 more in "b"
    assert bayes._score(0, ["a"]) == pytest.approx(math.log(2 / 3) + math.log((4 + 1) / (2 * 9 + 11)))
    bayes.added = 0.1
    assert bayes._score(0, ["a"]) == pytest.approx(math.log(2 / 3) + math.log((4 + 0.1) / (2 * 9 + 0.1 * 11)))


def test_the_baseline_is_the_best_on_dev() -> None:
    draw = random.Random(1)
    texts = [("".join(draw.choices("abcd", weights=[4, 3, 2 + label, 2], k=9)), label) for label in (0, 1) * 60]
    train, dev = texts[:80], texts[80:]
    every = [NaiveBayes(train, 3, added).right(dev) for added in ADDED]
    assert tuned(train, dev, 3).right(dev) == max(every) > min(every)


def test_a_step_reads_characters_that_stand_side_by_side() -> None:
    assert pieces("abc", 3) == [" ab", "abc", "bc "]
    assert pieces("ab", 1) == [" ", "a", "b", " "]


@pytest.fixture
def recordings(tmp_path: Path, record: Record) -> Path:
    """Ten digits by one speaker; how loud they are tells which one it is."""
    for digit in range(10):
        for index in range(10):
            record(tmp_path / f"recordings/{digit}_ann_{index}.wav", 0.1 + 0.01 * index, RATE, 100 + digit)
    return tmp_path


def test_digits_from_end_to_end(recordings: Path, tmp_path: Path) -> None:
    result = run_small("classification/digits.toml", tmp_path, from_dir=recordings)
    assert result["parts"]["test"]["segments"] == 50
    assert set(scores_of(result)) == {"model", "most frequent digit", "nearest mean spectrum"}
    assert scores_of(result)["most frequent digit"]["accuracy"] == 10.0


def test_digits_need_a_folder() -> None:
    with pytest.raises(UsageError, match="--from-dir"):
        read_small("classification/digits.toml")


def test_features_are_normalised_by_those_of_training(recordings: Path) -> None:
    """The test is far louder here."""
    draw = numpy.random.default_rng(1)
    for path in sorted(recordings.glob("recordings/*.wav")):
        loud = 0.5 if int(path.stem[-1]) < 5 else 0.01
        soundfile.write(str(path), loud * draw.uniform(-1, 1, 2000), RATE, subtype="PCM_16")
    _, task = read_small("classification/digits.toml", from_dir=recordings)
    assert (len(task.train), len(task.dev), len(task.test)) == (20, 30, 50)
    train, test = (torch.cat([torch.as_tensor(source) for source, _ in part.pairs]) for part in (task.train, task.test))
    torch.testing.assert_close(train.mean(0), torch.zeros(train.shape[1]), atol=1e-3, rtol=0)
    assert test.mean() > 2


def test_recordings_of_another_format_are_refused(recordings: Path, record: Record) -> None:
    """What is twice as fast would be taken for another voice, were its rate not looked at."""
    record(recordings / "recordings/3_ann_9.wav", 0.2, 2 * RATE, 103)
    with pytest.raises(DataError, match=r"3_ann_9\.wav is not mono of 8,000 Hz"):
        read_small("classification/digits.toml", from_dir=recordings)


def test_every_digit_must_train(recordings: Path) -> None:
    """A digit without a mean would be the nearest of all."""
    for index in range(8, 10):
        (recordings / f"recordings/6_ann_{index}.wav").unlink()
    with pytest.raises(DataError, match="no recordings to train six with"):
        read_small("classification/digits.toml", from_dir=recordings)


def test_the_nearest_mean_is_that_of_training() -> None:
    train = [torch.full((3, 2), float(digit)) for digit in range(10)] * 2
    test = [torch.full((5, 2), 7.2), torch.full((1, 2), -3.0)]
    assert digits.nearest_means({"train": train, "test": test}, list(range(10)) * 2) == [7, 0]
