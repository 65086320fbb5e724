"""What `tune` tries, and which settings it finds, of a search that is told what to find."""

from collections.abc import Callable
from pathlib import Path

import datasets
import pytest

import s2s
from s2s.checkpoint.tuned import keep_tuned
from s2s.data.parallel_text import open_text
from s2s.data.prepare_text import PrepareTextOptions, prepare_text
from s2s.data.speech import SpeechSegments
from s2s.evaluation.error_rates import compare_systems
from s2s.evaluation.scores import ScoreOptions, score_systems
from s2s.inference import tuning
from s2s.inference.parts import compare_part
from s2s.inference.transcriber import Transcriber
from s2s.inference.translator import Translator
from s2s.inference.tuning import Settings, TuningOptions, tune
from s2s.text.readers import Side
from tests.language import save_language_model
from tests.tiny import TEXTS, write_model
from tests.tiny_speech import speech_codec, write_speech_model

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


@pytest.fixture(scope="module")
def lm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_language_model(tmp_path_factory.mktemp("models") / "language")


def with_gain(segments: int) -> Texts:
    """Of 20 wrong lines a language model mends some at its best weight, 0.2; a beam of 5 mends one more."""
    return lambda settings: wrong(20 + (settings["beam_size"] != 5) - segments * (settings.get("lm_weight") == 0.2))


def test_a_weight_needs_a_gain_beyond_chance(
    model: Path, lm: Path, data: Path, tried: Callable[[Texts], list[Settings]], capsys: pytest.CaptureFixture[str]
) -> None:
    tried(with_gain(12))
    found = tune(model, TuningOptions(data, lm=lm))
    assert (found.decoding.lm_weight, found.decoding.beam_size) == (0.2, 5)
    assert found.comparison is not None
    assert found.comparison.p_value < 0.05
    assert found.before < found.comparison.without < found.comparison.value == found.value
    assert "bs:1000" in found.comparison.signature
    assert "gets the weight 0" not in capsys.readouterr().err


def test_a_gain_that_may_be_chance_gives_no_weight(
    model: Path, lm: Path, data: Path, tried: Callable[[Texts], list[Settings]], capsys: pytest.CaptureFixture[str]
) -> None:
    seen = tried(with_gain(1))
    found = tune(model, TuningOptions(data, lm=lm))
    assert (found.decoding.lm_weight, found.decoding.beam_size) == (0.0, 5)
    assert found.comparison is not None
    assert found.comparison.p_value >= 0.05
    assert found.value == found.comparison.without < found.comparison.value
    told = capsys.readouterr().err
    scores = f"is {found.comparison.value:.2f} with a weight of 0.2, and {found.value:.2f} without, which may be chance"
    assert f"{lm} gets the weight 0: BLEU on dev {scores} (p = {found.comparison.p_value:.3f})" in told
    assert all("lm_weight" in settings for settings in seen), "else the model's own would come in between"
    tried(with_gain(0))
    found = tune(model, TuningOptions(data, lm=lm))
    assert (found.decoding.lm_weight, found.decoding.beam_size, found.comparison) == (0.0, 5, None)
    assert "gets the weight 0: no other has a better BLEU" in capsys.readouterr().err


def test_with_a_tuned_weight_of_nothing_the_search_is_that_without(
    lm: Path, data: Path, tried: Callable[[Texts], list[Settings]], tmp_path: Path
) -> None:
    model = write_model(tmp_path / "model")
    tried(with_gain(1))
    keep_tuned(model, tune(model, TuningOptions(data, lm=lm)))
    alone, helped = (s2s.load(model, lm=one) for one in (None, lm))
    assert alone.decoding.beam_size == 5
    assert alone.decoding.model_copy(update={"lm_weight": 0.0}) == helped.decoding
    tried(lambda settings: wrong(settings["beam_size"]))
    keep_tuned(model, tune(model, TuningOptions(data)))
    alone, helped = (s2s.load(model, lm=one) for one in (None, lm))
    assert alone.decoding.beam_size == helped.decoding.beam_size == 1
    assert alone.translate(TEXTS[:9]) == helped.translate(TEXTS[:9])
    tried(with_gain(12))
    keep_tuned(model, tune(model, TuningOptions(data, lm=lm)))
    alone, helped = (s2s.load(model, lm=one) for one in (None, lm))
    assert (alone.decoding.beam_size, helped.decoding.beam_size) == (1, 5)
    assert helped.decoding.lm_weight == 0.2


def test_texts_are_compared_as_evaluation_compares_them(model: Path, data: Path, tmp_path: Path) -> None:
    translator, transcriber = s2s.load(model), s2s.load(write_speech_model(tmp_path / "speech", ctc=True))
    assert isinstance(translator, Translator)
    assert isinstance(transcriber, Transcriber)
    systems = {"others": wrong(9), "texts": wrong(7)}
    found = compare_part(translator, open_text(data).segments("dev"), systems["texts"], systems["others"])
    expected = score_systems(systems, [TEXTS[:COUNT]], ScoreOptions())["texts"]["bleu"]
    assert (found.value, found.p_value, found.signature) == (expected.value, expected.p_value, expected.signature)
    told = []
    for speakers in ([str(row % 5) for row in range(COUNT)], [None] * COUNT):
        table = datasets.Dataset.from_dict({"target": TEXTS[:COUNT], "speaker": speakers})
        segments = SpeechSegments(table, tmp_path, speech_codec())
        found = compare_part(transcriber, segments, systems["texts"], systems["others"])
        rate = compare_systems(systems, TEXTS[:COUNT], speakers=speakers)["texts"]["wer"]
        assert (found.metric, found.value, found.p_value) == ("WER", rate.value, rate.p_value)
        told.append(found.signature.split("|")[3])
    assert told == ["resampled:speakers", "resampled:segments"]
    table = datasets.Dataset.from_dict({"target": TEXTS[:1], "speaker": ["one"]})
    found = compare_part(transcriber, SpeechSegments(table, tmp_path, speech_codec()), TEXTS[:1], ["nothing"])
    assert (found.value, found.p_value) == (0.0, 1.0), "of one segment nothing can be drawn"
