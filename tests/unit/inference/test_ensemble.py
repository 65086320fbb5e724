"""Ensembles from folders: what may stand in one, what is refused, and what is told of attention and CTC."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import soundfile
import torch
from torch import Tensor

import s2s
from s2s.audio.features import Statistics
from s2s.checkpoint.tuned import TunedSearch, keep_tuned
from s2s.config import DecoderConfig, DecodingConfig, EncoderConfig, ModelConfig
from s2s.data.batches import pad
from s2s.data.speech_codec import SpeechCodec
from s2s.errors import ConfigError, ModelError, UsageError
from s2s.export import export_onnx
from s2s.hardware import has_int8
from s2s.inference.ensemble import Encodings, Ensemble, EnsembleState, mean_probability
from s2s.inference.transcriber import Transcriber, TranscriptionOptions
from s2s.inference.translator import TranslationOptions, Translator
from s2s.text.tokenizer import train_tokenizer
from s2s.text.tokenizers import Tokenizers
from s2s.text.vocabulary import BOS
from tests.small_models import LABELS, TEXT, small_model, sources
from tests.tiny import TEXTS, write_model
from tests.tiny_speech import speech_codec, write_speech_model
from tests.tones import RATE

WIDE = ModelConfig(
    embedding_width=24, encoder=EncoderConfig(cell="gru", width=16), decoder=DecoderConfig(kind="input-feeding")
)
LINES = [*TEXTS[:6], "", "a", "{name} sees <b>one</b> cat"]
OTHER_TARGET = train_tokenizer(lambda: ["mid low"] * 20, "characters", None, 100, spoken=True)
Facts = list[tuple[list[str], tuple[int, ...], object]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of text (`a`, a copy of it, `b` of another shape) and of speech (`ctc`, `pyramid`, `attention`)."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(write_model(folder / "a"), folder / "copy")
    write_model(folder / "b", seed=2, config=WIDE)
    shutil.copytree(write_speech_model(folder / "ctc", ctc=True), folder / "ctc-copy")
    write_speech_model(folder / "pyramid", ctc=True, seed=4, frontend="pyramid")
    write_speech_model(folder / "attention", ctc=False, seed=5)
    return folder


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    paths = [tmp_path_factory.mktemp("audio") / f"{number}.wav" for number in range(4)]
    for seed, path in enumerate(paths):
        noise = torch.randn(RATE * (seed + 1) // 2, generator=torch.Generator().manual_seed(seed))
        soundfile.write(path, (0.1 * noise).numpy(), RATE)
    return paths


def translated(translator: Translator, **options: object) -> Facts:
    found = translator.translate(LINES, **options)
    return [([one.text for one in each.n_best], each.alignment, pytest.approx(each.score, abs=1e-5)) for each in found]


def heard(transcriber: Transcriber, recordings: list[Path], **options: object) -> Facts:
    found = [transcriber.transcribe(one, **options).passages[0] for one in recordings]
    words = [tuple((word.text, pytest.approx(word.start)) for word in one.words) for one in found]
    return [
        ([text.text for text in one.n_best], said, pytest.approx(one.score, abs=1e-5))
        for one, said in zip(found, words, strict=True)
    ]


@pytest.mark.parametrize("beam", [1, 5])
def test_a_copy_of_a_model_changes_nothing(folder: Path, recordings: list[Path], beam: int) -> None:
    options = {"beam_size": beam, "n_best": min(beam, 3)}
    both = s2s.load(folder / "a", ensemble_with=[folder / "copy"])
    assert translated(both, **options) == translated(s2s.load(folder / "a"), **options)
    both = s2s.load(folder / "ctc", ensemble_with=[folder / "ctc-copy"])
    for weight in (None, 0.0):
        options["ctc_weight"] = weight
        assert heard(both, recordings, **options) == heard(s2s.load(folder / "ctc"), recordings, **options)


def test_members_of_other_shapes_have_their_say_in_any_order(folder: Path, recordings: list[Path]) -> None:
    a, b = folder / "a", str(folder / "b")
    both = translated(Translator.load(a, ensemble_with=[b]))
    assert both == translated(Translator.load(b, ensemble_with=[a]))
    assert both not in (translated(Translator.load(a)), translated(Translator.load(b)))
    a, b = folder / "ctc", folder / "pyramid"
    both = heard(Transcriber.load(a, ensemble_with=[b]), recordings)
    assert both == heard(Transcriber.load(b, ensemble_with=[a]), recordings)
    assert both not in (heard(Transcriber.load(a), recordings), heard(Transcriber.load(b), recordings))


def test_the_first_tells_how_to_search(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "copy", tmp_path / "other")
    record = (tmp_path / "other" / "model.json").read_text()
    assert '"beam_size": 3' in record
    (tmp_path / "other" / "model.json").write_text(record.replace('"beam_size": 3', '"beam_size": 2'))
    for first, second, beam in (("a", tmp_path / "other", 3), (tmp_path / "other", "a", 2)):
        loaded = s2s.load(folder / first, ensemble_with=[folder / second])
        assert loaded.settle(TranslationOptions()).beam_size == beam


def test_members_that_were_tuned_otherwise_are_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (Path(shutil.copytree(folder / name, tmp_path / name)) for name in ("a", "b"))
    found = {"metric": "BLEU", "value": 2.0, "before": 1.0, "signature": "none", "part": "dev", "data": "0"}
    told = []
    for path, beam in ((one, 3), (other, 2), (one, 2)):
        keep_tuned(path, TunedSearch(decoding=DecodingConfig(beam_size=beam, length_penalty=1.0), **found))
        both = s2s.load(one, ensemble_with=[other])
        assert both.decoding.beam_size == (2 if len(told) == 2 else 3)
        told.append(capsys.readouterr().err)
    said = f"not tuned to the same search (beam_size 3, 2): where no option decides, that of {one} holds for all."
    assert [said in line for line in told] == [False, True, False]
    assert told[0] == told[2] == ""


def test_exported_models_are_members(folder: Path, recordings: list[Path], tmp_path: Path) -> None:
    export_onnx(folder / "b", tmp_path / "b")
    export_onnx(folder / "pyramid", tmp_path / "pyramid")
    found = s2s.load(folder / "a", ensemble_with=[tmp_path / "b"])
    assert translated(found) == translated(s2s.load(folder / "a", ensemble_with=[folder / "b"]))
    found = s2s.load(tmp_path / "pyramid", ensemble_with=[folder / "ctc"])
    assert heard(found, recordings) == heard(s2s.load(folder / "ctc", ensemble_with=[folder / "pyramid"]), recordings)
    with pytest.raises(UsageError, match="was exported, and computes in float32"):
        s2s.load(folder / "a", ensemble_with=[tmp_path / "b"], precision="bfloat16")


@pytest.mark.parametrize(
    "precision",
    ["bfloat16", pytest.param("int8", marks=pytest.mark.skipif(not has_int8(), reason="no products of eight bits"))],
)
def test_members_compute_in_the_precision_that_is_asked_for(
    folder: Path, recordings: list[Path], precision: str
) -> None:
    """A copy gives the very same numbers in low precision, whose mean is taken in float32."""
    for name, facts in (("a", translated), ("ctc", lambda model: heard(model, recordings))):
        both = s2s.load(
            folder / name, ensemble_with=[folder / ("copy" if name == "a" else "ctc-copy")], precision=precision
        )
        assert facts(both) == facts(s2s.load(folder / name, precision=precision))


def test_ctc_is_needed_in_each_member_or_left_out(folder: Path, recordings: list[Path]) -> None:
    both = s2s.load(folder / "ctc", ensemble_with=[folder / "attention"])
    with pytest.raises(ConfigError, match=r"ctc_weight of 0\.4 needs CTC in each .* none in \S*attention\. Give 0"):
        both.transcribe(recordings[0])
    assert not both.aligns
    assert heard(both, recordings, ctc_weight=0.0)
    turned = s2s.load(folder / "attention", ensemble_with=[folder / "ctc"])
    assert heard(turned, recordings) == heard(both, recordings, ctc_weight=0.0)
    with pytest.raises(ConfigError, match="none in"):
        turned.settle(TranscriptionOptions(ctc_weight=0.3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda codec: replace(codec, language="de"), "the same language"),
        (lambda codec: replace(codec, settings=replace(codec.settings, window=0.02)), "the same features"),
        (lambda codec: replace(codec, by_speaker=True), "the same normalisation"),
        (lambda codec: replace(codec, target=OTHER_TARGET), "the same vocabulary"),
        (
            lambda codec: replace(codec, statistics=Statistics(torch.zeros(8), torch.ones(8)), language="de"),
            "the same language and normalisation",
        ),
    ],
)
def test_what_hears_otherwise_is_refused(
    folder: Path, tmp_path: Path, change: Callable[[SpeechCodec], SpeechCodec], message: str
) -> None:
    write_speech_model(tmp_path / "other", ctc=True, codec=change(speech_codec()))
    with pytest.raises(UsageError, match=message) as caught:
        s2s.load(folder / "ctc", ensemble_with=[tmp_path / "other"])
    assert str(folder / "ctc") in str(caught.value)
    assert f"{tmp_path / 'other'} are no ensemble" in str(caught.value)
    assert "Train all models on the same prepared data" in str(caught.value)


def test_the_longest_segment_of_training_may_differ(folder: Path, tmp_path: Path, recordings: list[Path]) -> None:
    write_speech_model(tmp_path / "other", ctc=True, codec=replace(speech_codec(), longest=3.0))
    both = s2s.load(folder / "ctc", ensemble_with=[tmp_path / "other"])
    assert heard(both, recordings) == heard(s2s.load(folder / "ctc"), recordings)


def test_other_vocabularies_and_languages_are_refused(folder: Path, tmp_path: Path, project: Path) -> None:
    golden = project / "tests" / "golden" / "text"
    with pytest.raises(UsageError, match=r"do not have the same .*source vocabulary and target vocabulary"):
        s2s.load(folder / "a", ensemble_with=[folder / "b", golden])
    tokenizers = Tokenizers.load(folder / "a")
    assert replace(tokenizers, languages=("de", "en")).identity != tokenizers.identity
    assert Tokenizers.load(folder / "b").identity == tokenizers.identity


@pytest.mark.parametrize(("first", "second"), [("a", "ctc"), ("ctc", "a")])
def test_text_and_audio_are_no_ensemble(folder: Path, first: str, second: str) -> None:
    with pytest.raises(
        UsageError, match=rf"{first} reads \w+ and \S*{second} \w+: models of an ensemble read the same"
    ):
        s2s.load(folder / first, ensemble_with=[folder / second])


def test_what_is_no_list_of_models_is_refused(folder: Path, tmp_path: Path) -> None:
    for other in (folder / "b", str(folder / "b")):
        with pytest.raises(UsageError, match="takes a list of models"):
            s2s.load(folder / "a", ensemble_with=other)
    with pytest.raises(ModelError, match=r"model\.json is missing"):
        s2s.load(folder / "a", ensemble_with=[tmp_path])
    for members in (["a"], ["b", "b"], ["b", "../" + folder.name + "/a"]):
        with pytest.raises(UsageError, match="is named twice"):
            s2s.load(folder / "a", ensemble_with=[folder / name for name in members])


@dataclass(frozen=True)
class Looking:
    """A state that looks where it is told."""

    attention: Tensor | None

    def reorder(self, index: Tensor) -> "Looking":
        """See `s2s.search.State`."""
        return Looking(None if self.attention is None else self.attention[index])


def test_attention_is_the_mean_where_members_look_at_the_same_steps() -> None:
    one, other = torch.tensor([[0.5, 0.5], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    state = EnsembleState((Looking(one), Looking(other.bfloat16())))
    assert torch.equal(state.attention, torch.tensor([[0.75, 0.25], [0.25, 0.75]]))
    assert torch.equal(state.reorder(torch.tensor([1, 1, 0])).attention, state.attention[[1, 1, 0]])
    assert EnsembleState((Looking(one), Looking(torch.ones(2, 3)))).attention is one
    assert EnsembleState((Looking(None), Looking(None))).attention is None
    low = EnsembleState((Looking(one.bfloat16()), Looking(other.bfloat16()))).attention
    assert low is not None and low.dtype == torch.float32


def test_attention_of_models_is_the_mean_of_theirs() -> None:
    models = [small_model(TEXT, seed=seed) for seed in (0, 1)]
    batch = pad(sources(models[0], [5, 3]))
    states = []
    with torch.inference_mode():
        for model in (Ensemble(models), *models):
            _, state = model.step(model.start(model.remember(model.read(*batch))), torch.tensor([BOS, BOS]))
            states.append(state.attention)
    torch.testing.assert_close(states[0], (states[1] + states[2]) / 2)


def test_the_mean_of_probabilities_is_exact_for_zeros_and_tiny_ones() -> None:
    log_probs = torch.tensor([[0.2, 0.8, 0.0, 0.0], [0.6, 0.4, 0.5, 0.0]]).log()
    assert mean_probability(list(log_probs)).exp().tolist() == pytest.approx([0.4, 0.6, 0.25, 0.0])
    before = log_probs.clone()
    mean_probability([log_probs]).fill_(7.0)
    assert torch.equal(log_probs, before)
    tiny = torch.tensor([-500.0])
    assert mean_probability([tiny, tiny, tiny]).item() == pytest.approx(-500.0)


def test_ctc_is_the_mean_of_probabilities_of_equal_steps(folder: Path) -> None:
    models = [s2s.load(folder / name)._loaded.model for name in ("ctc", "pyramid")]
    batch = pad([torch.randn(length, 8) for length in (40, 17)], multiple=16)
    ensemble = Ensemble(models)
    with torch.inference_mode():
        encoded = ensemble.read(*batch)
        expected = sum(model.ctc_log_probs(model.read(*batch)).double().exp() / 2 for model in models).log()
        mask = encoded.mask.unsqueeze(2)
        torch.testing.assert_close(ensemble.ctc_log_probs(encoded).double() * mask, expected * mask, atol=1e-5, rtol=0)
        shorter = models[1].read(batch[0], batch[1] - 4)
        with pytest.raises(AssertionError, match="unequal steps"):
            ensemble.ctc_log_probs(Encodings((encoded.members[0], shorter)))


def test_a_member_in_training_is_seen() -> None:
    model = small_model(LABELS[0])
    assert not Ensemble([model, model]).training
    model.train()
    try:
        assert Ensemble([small_model(LABELS[1]), model]).training
    finally:
        model.eval()
