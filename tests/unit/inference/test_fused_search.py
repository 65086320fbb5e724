"""A language model beside a translator: what is found, and what is refused."""

import shutil
from pathlib import Path

import pytest
import torch

import s2s
from s2s.checkpoint import TrainingSummary, read_info, save_model
from s2s.checkpoint.tuned import FILE, TunedSearch, identity, keep_tuned, read_tuned
from s2s.cli.info import page
from s2s.config import DecodingConfig, LanguageModelConfig, parse
from s2s.data.batches import pad
from s2s.decoding import Fusion, decode_batch
from s2s.errors import ModelError, UsageError
from s2s.files import committed_folder
from s2s.inference.transcriber import Transcriber, TranscriptionOptions
from s2s.inference.translator import TranslationOptions, Translator
from s2s.language_model import build_language_model
from s2s.text.monolingual import MonolingualCodec
from s2s.text.placeholders import SYMBOLS
from s2s.text.tokenizer import train_tokenizer
from s2s.text.vocabulary import BOS, EOS, UNK
from tests.language import SHAPE, save_language_model, small_language_model
from tests.small_models import SIZE, TEXT, small_model
from tests.tiny import TEXTS, write_model
from tests.tiny_speech import speech_codec, write_speech_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "translator")


@pytest.fixture(scope="module")
def lm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_language_model(tmp_path_factory.mktemp("models") / "language")


@pytest.mark.parametrize("beam_size", [1, 4])
@torch.inference_mode()
def test_scores_are_those_of_both_models_under_teacher_forcing(beam_size: int) -> None:
    model = small_model(TEXT)
    language = small_language_model(size=SIZE)
    sources = [[5, 6, 7, EOS], [8, EOS], [9, 10, 11, 12, 13, EOS]]
    source, lengths = pad(sources)
    decoding = DecodingConfig(beam_size=beam_size, length_penalty=0.0, max_length=12)
    limits = torch.full_like(lengths, 12)
    found = decode_batch(model, source, lengths, limits, decoding, fusion=Fusion(language, 0.4))
    alone = decode_batch(model, source, lengths, limits, decoding)
    assert [one.tokens for (one,) in found] != [one.tokens for (one,) in alone]
    for row, (best,) in enumerate(found):
        target = torch.tensor([[BOS, *best.tokens, EOS]])[:, : len(best.log_probs) + 1]
        one, one_length = pad([sources[row]])
        decoded = model.decode(model.encode(one, one_length), target[:, :-1])
        narrowed, _ = language.read(target[:, :-1], language.start(1))
        both = torch.log_softmax(model.logits(decoded.features), 2) + 0.4 * torch.log_softmax(
            language.logits(narrowed), 2
        )
        expected = both.gather(2, target[:, 1:].unsqueeze(2)).flatten().tolist()
        assert best.log_probs == pytest.approx(expected, abs=1e-4)
        assert best.score == pytest.approx(sum(expected), abs=1e-3)
        (again,) = decode_batch(model, one, one_length, limits[:1], decoding, fusion=Fusion(language, 0.4))
        assert again[0].tokens == best.tokens


def test_a_weight_of_nothing_changes_nothing_and_more_changes_more(model: Path, lm: Path) -> None:
    plain = s2s.load(model).translate(TEXTS[:20])
    helped = s2s.load(model, lm=lm)
    assert helped.translate(TEXTS[:20], lm_weight=0.0) == plain
    texts = [[one.text for one in helped.translate(TEXTS[:20], lm_weight=weight)] for weight in (0.1, 3.0)]
    assert sum(one != other.text for one, other in zip(texts[1], plain, strict=True)) > 5
    assert texts[0] != texts[1]
    low = s2s.load(model, lm=lm, precision="int8").translate(TEXTS[:3], lm_weight=0.1)
    assert [one.score for one in low] == pytest.approx(
        [one.score for one in helped.translate(TEXTS[:3], lm_weight=0.1)], abs=0.2
    )


def test_weights_and_models_belong_together(model: Path, lm: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no effect without one"):
        s2s.load(model).translate(["a"], lm_weight=0.1)
    with pytest.raises(UsageError, match=r"How much should .* count\? No weight was tuned"):
        s2s.load(model, lm=lm).translate(["a"])
    with pytest.raises(UsageError, match="works alone"):
        s2s.load(lm, lm=lm)
    with pytest.raises(UsageError, match="translates and is no language model"):
        s2s.load(model, lm=model)
    english = save_language_model(tmp_path / "english", language="en")
    with pytest.raises(UsageError, match=r"is a model of en, and .* writes de"):
        s2s.load(model, lm=english)
    other = train_tokenizer(lambda: [text[::-1] for text in TEXTS], "unigram", None, 380)
    config = parse(LanguageModelConfig, SHAPE, "test")
    with committed_folder(tmp_path / "other") as folder:
        made = build_language_model(config, other.size)
        save_model(
            folder, made, MonolingualCodec(other, "en"), config, None, TrainingSummary(updates=1, seed=1, data="0")
        )
    with pytest.raises(UsageError, match=r"has another vocabulary than .*--tokenizer"):
        s2s.load(model, lm=tmp_path / "other")


def tuned(lm: Path | None, **decoding: float) -> TunedSearch:
    settings = DecodingConfig(**decoding)  # type: ignore[arg-type]
    found = {"metric": "BLEU", "value": 2.0, "before": 1.0, "signature": "none", "part": "dev", "data": "0"}
    return TunedSearch(decoding=settings, lm=None if lm is None else identity(lm), **found)  # type: ignore[arg-type]


def test_tuned_settings_are_defaults_with_what_they_were_tuned_with(tmp_path: Path, lm: Path) -> None:
    model = write_model(tmp_path / "model")
    before = s2s.load(model).translate(TEXTS[:5])
    keep_tuned(model, tuned(None, beam_size=2, length_penalty=0.5))
    keep_tuned(model, tuned(lm, beam_size=4, length_penalty=0.2, lm_weight=0.3))
    alone, helped = s2s.load(model), s2s.load(model, lm=lm)
    assert isinstance(alone, Translator)
    assert isinstance(helped, Translator)
    assert (alone.decoding.beam_size, alone.decoding.lm_weight) == (2, None)
    assert (helped.decoding.beam_size, helped.decoding.lm_weight) == (4, 0.3)
    assert alone.translate(TEXTS[:5]) == alone.translate(TEXTS[:5], beam_size=2, length_penalty=0.5)
    own = helped.translate(TEXTS[:5])
    assert own == helped.translate(TEXTS[:5], beam_size=4, length_penalty=0.2, lm_weight=0.3)
    unlike = save_language_model(tmp_path / "unlike", "text")
    other = s2s.load(model, lm=unlike)
    assert isinstance(other, Translator)
    with pytest.raises(UsageError, match=r"How much should .*unlike count\? No weight was tuned with it: give one"):
        other.translate(["a"])
    forced = other.settle(TranslationOptions(lm_weight=0.1))
    assert (forced.beam_size, forced.length_penalty, forced.lm_weight) == (2, 0.5, 0.1), "all else is as without"
    keep_tuned(model, tuned(unlike, beam_size=6, lm_weight=0.7))
    keep_tuned(model, tuned(None, beam_size=1))
    kept = [s2s.load(model, lm=one).decoding for one in (None, lm, unlike)]
    assert [(one.beam_size, one.lm_weight) for one in kept] == [(1, None), (4, 0.3), (6, 0.7)]
    keep_tuned(model, tuned(lm, beam_size=3, lm_weight=0.2))
    kept = [s2s.load(model, lm=one).decoding for one in (None, lm, unlike)]
    assert [(one.beam_size, one.lm_weight) for one in kept] == [(1, None), (3, 0.2), (6, 0.7)]
    assert "tuned with a language model: beam_size 6" in page(model, read_info(model))
    (model / FILE).unlink()
    assert s2s.load(model).translate(TEXTS[:5]) == before


def test_a_damaged_file_of_settings_is_named(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    for damaged, message in (
        ("{", "is not JSON"),
        ("{}", "its format is None"),
        ('{"format": "s2s decoding", "version": 1, "model": "0", "alone": {}}', "cannot be used: alone.decoding"),
    ):
        (model / FILE).write_text(damaged, encoding="utf-8")
        with pytest.raises(ModelError, match=f"{FILE}.*{message}"):
            s2s.load(model).translate(["a"])
    assert read_tuned(tmp_path) is None


def test_what_was_tuned_for_another_model_is_told_and_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = write_model(tmp_path / "one"), write_model(tmp_path / "other", seed=2)
    kept = keep_tuned(one, tuned(None, beam_size=2))
    shutil.copy(kept, other / FILE)
    translator = s2s.load(other)
    assert isinstance(translator, Translator)
    assert translator.decoding.beam_size == 3
    translator.translate(TEXTS[:2])
    told = capsys.readouterr().err
    assert f"{other / FILE} was tuned for another model than is there now, and is not used: repeat `s2s tune`" in told
    assert told.count("\n") == 1
    keep_tuned(other, tuned(None, beam_size=4))
    again = s2s.load(other)
    assert isinstance(again, Translator)
    assert again.decoding.beam_size == 4
    assert capsys.readouterr().err == ""
    shutil.rmtree(one)
    with pytest.raises(ModelError, match=r"was removed while it was tuned\. Tune when training has ended"):
        keep_tuned(one, tuned(None, beam_size=2))


def test_samples_are_drawn_for_each_line_by_its_number(model: Path) -> None:
    from s2s.search import SamplingOptions

    translator = s2s.load(model)
    assert isinstance(translator, Translator)
    drawn = translator.translate(TEXTS[:8], sampling=SamplingOptions(), n_best=3, seed=4)
    assert [one.text for one in drawn] == [
        one.text
        for one in translator.translate(TEXTS[:8], sampling=SamplingOptions(), n_best=1, seed=4, batch_tokens=1)
    ]
    assert all(len(one.n_best) == 3 for one in drawn)
    assert len({candidate.text for one in drawn for candidate in one.n_best}) > 12
    twice = translator.translate([TEXTS[0], TEXTS[0]], sampling=SamplingOptions(), seed=4)
    assert twice[0].text != twice[1].text
    likeliest = translator.translate(TEXTS[:8], sampling=SamplingOptions(top_k=1))
    assert [one.text for one in likeliest] == [one.text for one in translator.translate(TEXTS[:8], beam_size=1)]
    with pytest.raises(UsageError, match="beam size has no effect on samples"):
        translator.translate(["a"], sampling=SamplingOptions(), beam_size=3)


def test_samples_have_no_unknown_tokens_and_no_masks_but_those_of_their_source(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s2s.search import SamplingOptions

    translator = s2s.load(model)
    assert isinstance(translator, Translator)
    pieces = translator._loaded.codec.target.pieces(range(translator._loaded.codec.target.size))
    strange = [n for n, piece in enumerate(pieces) if n == UNK or piece in SYMBOLS]
    step = translator._model.step

    def likes_them(state: object, tokens: torch.Tensor) -> tuple[torch.Tensor, object]:
        log_probs, state = step(state, tokens)
        return log_probs.index_fill(1, torch.tensor(strange), 0.0), state

    monkeypatch.setattr(translator._model, "step", likes_them)
    lines = ["the cat", "{name} sees <b>one</b> cat", "the {name}"]
    drawn = translator.translate(lines, sampling=SamplingOptions(), max_length=20)
    seen = [{pieces[n] for n in strange}.intersection(one.tokens.target) for one in drawn]
    assert seen == [set(), set(SYMBOLS[:3]), set(SYMBOLS[:1])]


def test_a_transcriber_is_helped_beside_ctc(tmp_path: Path) -> None:
    model = write_speech_model(tmp_path / "speech", ctc=True)
    heard = s2s.load(model)
    assert isinstance(heard, Transcriber)
    config = parse(LanguageModelConfig, SHAPE, "test")
    with committed_folder(tmp_path / "lm") as folder:
        codec = MonolingualCodec(speech_codec().target, "en")
        made = small_language_model(size=speech_codec().target.size)
        save_model(folder, made, codec, config, None, TrainingSummary(updates=1, seed=1, data="0"))
    helped = s2s.load(model, lm=tmp_path / "lm")
    assert isinstance(helped, Transcriber)
    samples = [(torch.randn(16_000, generator=torch.Generator().manual_seed(3)), None)]

    def text(found: Transcriber, **options: float) -> tuple[str, float]:
        (transcript,) = found.stream_samples(samples, TranscriptionOptions(beam_size=3, **options))  # type: ignore[arg-type]
        return transcript.text, transcript.passages[0].score

    for ctc_weight in (0.0, 0.4):
        plain = text(heard, ctc_weight=ctc_weight)
        assert text(helped, ctc_weight=ctc_weight, lm_weight=0.0) == plain
        assert text(helped, ctc_weight=ctc_weight, lm_weight=0.5)[1] < plain[1]
