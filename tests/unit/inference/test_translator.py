"""The translator's own part: order, batches, placeholders and options; here a hypothesis is a copy of its source."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from s2s.config import DecodingConfig
from s2s.errors import ModelError, UsageError
from s2s.hardware import has_int8
from s2s.inference import load, runtime
from s2s.inference.translator import Numbered, TranslationOptions, Translator
from s2s.search import Hypothesis, SamplingOptions
from tests.tiny import write_model

LINES = [
    "the old house",
    "",
    "a",
    "{name} sees <b>one</b> cat",
    "  ",
    "the tree and the dog near the house",
    "a\u2028b",
]
COPIES = ["the old house", "", "a", "{name} sees <b>one</b> cat", "", "the tree and the dog near the house", "a b"]


class CopyingTranslator(Translator):
    """Every hypothesis is its source without the first `rank` tokens."""

    def _search(
        self, segments: Sequence[Numbered], decoding: DecodingConfig, options: TranslationOptions
    ) -> list[list[Hypothesis]]:
        return [
            [
                Hypothesis(segment.ids[rank:-1], [-1.0], -float(rank), [0] * (len(segment.ids) - 1 - rank))
                for rank in range(options.n_best)
            ]
            for _, segment in segments
        ]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def copying(model: Path) -> Translator:
    return CopyingTranslator.load(model)


@pytest.mark.parametrize("batch_tokens", [1, 8, 2048])
def test_lines_come_out_in_their_order(copying: Translator, batch_tokens: int) -> None:
    found = copying.translate(LINES, batch_tokens=batch_tokens)
    assert [translation.text for translation in found] == COPIES
    assert [translation.source for translation in found] == LINES
    assert [translation.id for translation in found] == [1, 2, 3, 4, 5, 6, 7]


@given(st.lists(st.text(max_size=20), max_size=8))
def test_any_text_gives_one_line_each(copying: Translator, lines: list[str]) -> None:
    found = copying.translate(lines)
    assert len(found) == len(lines)
    assert all(len(f"x{translation.text}x".splitlines()) == 1 for translation in found)


def test_results_come_before_the_next_window_is_asked_for(copying: Translator) -> None:
    asked = []

    def windows() -> Iterator[Sequence[str]]:
        for window in (["one", "two"], ["three"]):
            asked.append(window)
            yield window

    results = copying.stream(windows(), TranslationOptions())
    assert [next(results).text, next(results).text] == ["one", "two"]
    assert len(asked) == 1
    assert [(translation.id, translation.text) for translation in results] == [(3, "three")]


def test_tokens_and_alignment_belong_to_the_best(copying: Translator) -> None:
    (found,) = copying.translate(["the house"], n_best=2)
    assert found.tokens.source == ("▁the", "▁house", "</s>")
    assert found.tokens.target == ("▁the", "▁house")
    assert found.alignment == (0, 0)
    assert [candidate.text for candidate in found.n_best] == ["the house", "house"]
    assert (found.text, found.score) == ("the house", 0.0)


def test_a_hypothesis_that_spells_the_end_of_a_line_does_not_end_one(
    copying: Translator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = copying._loaded.codec.target.pieces(range(300))
    spelt = [pieces.index(piece) for piece in ("▁a", "<0x0A>", "<0xE2>", "<0x80>", "<0xA8>", "<0x0D>", "<0x00>", "▁a")]
    monkeypatch.setattr(copying, "_search", lambda *_: [[Hypothesis(spelt, [], -1.0, [])]])
    assert [translation.text for translation in copying.translate(["x"])] == ["a     a"]


def test_a_blank_line_is_translated_for_certain(copying: Translator) -> None:
    (found,) = copying.translate([""], n_best=2)
    assert (found.text, found.score, found.alignment) == ("", 0.0, ())
    assert [candidate.text for candidate in found.n_best] == [""]


def test_long_lines_are_cut_and_counted(copying: Translator, capsys: pytest.CaptureFixture[str]) -> None:
    found = copying.translate(["a " * 30, "a", "a " * 40], max_length=5)
    assert [translation.text for translation in found] == ["a a a a a", "a", "a a a a a"]
    assert [translation.cut for translation in found] == [True, False, True]
    assert capsys.readouterr().err.startswith("warning: 2 lines were longer than 5 tokens")


def test_the_models_own_settings_hold_until_told_otherwise(copying: Translator) -> None:
    assert copying.settle(TranslationOptions()) == DecodingConfig(beam_size=3, length_penalty=1.0, max_length=24)
    told = TranslationOptions(beam_size=2, length_penalty=0.0, max_length=7)
    assert copying.settle(told) == DecodingConfig(beam_size=2, length_penalty=0.0, max_length=7)


@pytest.mark.parametrize("name", ["beam_size", "n_best", "max_length", "batch_tokens", "length_penalty"])
def test_options_out_of_range_are_named(copying: Translator, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        copying.settle(TranslationOptions(**{name: -1}))


def test_more_translations_than_the_beam_are_refused(copying: Translator) -> None:
    with pytest.raises(UsageError, match="A beam of 3 cannot give 4 translations"):
        copying.translate(["a"], n_best=4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 5}, "A seed has no effect without sampling"),
        ({"seed": -1, "sampling": SamplingOptions()}, "seed must be a whole number of 0 or more"),
        ({"sampling": True}, "sampling takes SamplingOptions"),
    ],
)
def test_options_of_sampling_are_checked(copying: Translator, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        copying.translate(["a"], **options)


def test_one_string_is_not_taken_for_a_list_of_lines(copying: Translator) -> None:
    with pytest.raises(UsageError, match="not one string"):
        copying.translate("the old house")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "gpu"}, "The device 'gpu' cannot be used here"),
        ({"device": "meta"}, "cannot compute"),
        ({"precision": "float8"}, "There is no precision 'float8'"),
        ({"threads": 0}, "1 or more"),
    ],
)
def test_what_cannot_be_computed_with_is_told(model: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(model, **options)


def test_a_folder_without_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.json is missing"):
        load(str(tmp_path))


def test_bfloat16_is_close_to_float32(model: Path) -> None:
    exact, rough = load(model), load(model, precision="bfloat16")
    line = ["the old house sees a cat"]
    one, other = exact.translate(line, beam_size=1)[0], rough.translate(line, beam_size=1)[0]
    assert one.score != other.score
    assert one.score == pytest.approx(other.score, abs=0.1)


@pytest.mark.skipif(not has_int8(), reason="the processor has no products of eight bits")
def test_int8_gives_sure_models_the_same_words(project: Path) -> None:
    expected = json.loads((project / "tests" / "golden" / "expected.json").read_text())["text"]
    found = load(project / "tests" / "golden" / "text", precision="int8").translate([row["source"] for row in expected])
    sure = [(row, one) for row, one in zip(expected, found, strict=True) if row["n_best"][0] and row["score"] > -0.2]
    assert len(sure) >= 3
    for row, one in sure:
        assert one.text == row["n_best"][0]
        assert one.score == pytest.approx(row["score"], abs=0.02)
        assert one.score != pytest.approx(row["score"], abs=1e-5)


def test_a_processor_without_int8_computes_in_float32_and_says_so(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runtime, "has_int8", lambda: False)
    exact, fallen = load(model), load(model, precision="int8")
    assert "no products of eight bits: computing in float32" in capsys.readouterr().err
    line = ["the old house sees a cat"]
    assert exact.translate(line)[0].score == fallen.translate(line)[0].score


def test_int8_is_refused_on_other_devices(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "open_device", lambda *_: torch.device("cuda"))
    with pytest.raises(UsageError, match="int8 is a precision of the CPU, and the device is cuda"):
        load(model, device="cuda", precision="int8")


def test_threads_are_set(model: Path) -> None:
    before = torch.get_num_threads()
    try:
        load(model, threads=before + 1)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)
