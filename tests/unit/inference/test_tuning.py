"""What `tune` tries, and which settings it finds, of a search that is told what to find."""

from collections.abc import Callable
from pathlib import Path

import pytest

from s2s.data.prepare_text import PrepareTextOptions, prepare_text
from s2s.inference import tuning
from s2s.inference.tuning import Settings, TuningOptions, tune
from s2s.text.readers import Side
from tests.tiny import TEXTS, write_model

COUNT = 40
Texts = Callable[[Settings], list[str]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared pairs of lines."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "source").write_text("\n".join(TEXTS[COUNT : 2 * COUNT]) + "\n", encoding="utf-8")
    (folder / "target").write_text("\n".join(TEXTS[:COUNT]) + "\n", encoding="utf-8")
    sides = Side(str(folder / "source")), Side(str(folder / "target"))
    prepare_text(PrepareTextOptions(dict.fromkeys(("train", "dev", "test"), sides), ("en", "de"), folder / "data"))
    return folder / "data"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "translator")


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Callable[[Texts], list[Settings]]:
    """Has the search find the given texts for settings, and returns those that are tried."""

    def record(texts: Texts) -> list[Settings]:
        seen: list[Settings] = []

        def decode(found: object, segments: object, data: Path, settings: Settings) -> list[str]:
            seen.append(settings)
            return texts(settings)

        monkeypatch.setattr(tuning, "decode_part", decode)
        return seen

    return record


def wrong(count: float) -> list[str]:
    """The references, of which the first few are wrong."""
    return ["nothing" if row < count else text for row, text in enumerate(TEXTS[:COUNT])]


def test_a_beam_of_one_is_tried_with_one_length_penalty(
    model: Path, data: Path, tried: Callable[[Texts], list[Settings]]
) -> None:
    seen = tried(lambda settings: wrong(settings["beam_size"]))
    found = tune(model, TuningOptions(data))
    assert found.decoding.beam_size == 1
    assert found.value == pytest.approx(100 * 1, abs=5)
    assert sum(settings["beam_size"] == 1 for settings in seen) == 1
    assert {settings["beam_size"] for settings in seen} == {1, 2, 3, 5, 8}
    seen.clear()
    assert tune(model, TuningOptions(data, beam_sizes=(1,))).decoding.beam_size == 1
    assert [settings["beam_size"] for settings in seen] == [1, 3], "and the model's own, for the score before"


def test_only_the_beams_that_are_named_are_found(
    model: Path, data: Path, tried: Callable[[Texts], list[Settings]]
) -> None:
    tried(lambda settings: wrong(4 * abs(settings["beam_size"] - 3) + settings["length_penalty"]))
    assert tune(model, TuningOptions(data)).decoding.beam_size == 3
    found = tune(model, TuningOptions(data, beam_sizes=(8, 2, 5)))
    assert (found.decoding.beam_size, found.decoding.length_penalty) == (2, 0.0)
    assert found.before > found.value, "which is told as it is"
