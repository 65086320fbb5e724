"""Prepared audio: lengths known before anything is read, augmentation as a function of (seed, epoch, row)."""

import math
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import soundfile
import torch

from s2s.audio.augmentation import warp_bands
from s2s.audio.features import Statistics, normalise
from s2s.config import RunConfig, parse
from s2s.data.batches import TrainingBatches, validation_batches
from s2s.data.parallel_text import open_text
from s2s.data.speech import SpeechData, SpeechSegments, open_speech
from s2s.data.speech_codec import SpeechCodec
from s2s.errors import ConfigError, DataError, ModelError
from s2s.text.tokenizer import SentencePieceTokenizer, train_tokenizer
from tests.digits import prepare_digits
from tests.tones import SIZES, prepare_tones


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> SpeechData:
    return open_speech(prepare_tones(tmp_path_factory.mktemp("tones")))


def config(**augmentation: object) -> RunConfig:
    return parse(
        RunConfig,
        {
            "model": {"frontend": {"kind": "convolution"}, "tied_embeddings": "output", "ctc": True},
            "augmentation": augmentation,
            "training": {"max_updates": 1},
        },
        "test",
    )


def segments(data: SpeechData, **augmentation: object) -> SpeechSegments:
    return data.segments("train", config(**augmentation))


@pytest.mark.parametrize(
    "augmentation",
    [
        {"speeds": (1.0,)},
        {"speeds": (0.9, 1.1)},
        {"speeds": (0.9,), "joined": 5},
        {"time_masks": 3, "time_mask": 0.3, "masks_from_epoch": 0},
    ],
)
def test_lengths_are_known_before_anything_is_read(data: SpeechData, augmentation: dict[str, object]) -> None:
    drawn = segments(data, **augmentation).draw(range(20), epoch=1)
    for position, (source_length, target_length) in enumerate(drawn.lengths):
        features, target = drawn.pair(position)
        assert features.shape == (source_length, data.codec.source_size)
        assert len(target) == target_length


def test_a_segment_is_a_function_of_seed_epoch_and_row(data: SpeechData) -> None:
    part = segments(data, joined=3, masks_from_epoch=0)
    first = [part.draw([row], epoch=4).pair(0) for row in range(10)]
    together = part.draw(list(range(10)), epoch=4)
    other = part.draw(list(range(10)), epoch=5)
    for row, (features, target) in enumerate(first):
        again = together.pair(row)
        assert torch.equal(features, again[0])
        assert target == again[1]
    assert any(
        features.shape != other.pair(row)[0].shape or not torch.equal(features, other.pair(row)[0])
        for row, (features, _) in enumerate(first)
    )


def test_masks_begin_with_their_epoch(data: SpeechData) -> None:
    part = segments(data, speeds=(1.0,), time_masks=2, time_mask=0.5, masks_from_epoch=3)
    plain = data.segments("train").draw(range(10), None)
    for row in range(10):
        assert torch.equal(part.draw(range(10), epoch=2).pair(row)[0], plain.pair(row)[0])
    assert any(not torch.equal(part.draw(range(10), epoch=3).pair(row)[0], plain.pair(row)[0]) for row in range(10))


def test_volume_can_be_heard_where_statistics_are_those_of_the_corpus(data: SpeechData) -> None:
    with pytest.raises(ConfigError, match=r"augmentation\.volume has no effect"):
        data.check(config(volume=3.0))
    statistics = Statistics(torch.zeros(40), torch.ones(40))
    loud = segments(replace(data, codec=replace(data.codec, statistics=statistics)), speeds=(1.0,), volume=6.0)
    drawn, plain = loud.draw(range(8), epoch=1), loud.draw(range(8), None)
    changes = [(drawn.pair(row)[0] - plain.pair(row)[0]).median().item() for row in range(8)]
    expected = [math.log(10) / 10 * take.volume for take in drawn.takes]
    assert changes == pytest.approx(expected, abs=0.05)
    assert min(expected) < 0 < max(expected)


def test_a_config_for_text_is_refused_before_training(data: SpeechData) -> None:
    text = parse(RunConfig, {"training": {"max_updates": 1}}, "test")
    with pytest.raises(ConfigError, match=r'"embedding" cannot read audio.* Set it to "convolution" or "pyramid"'):
        data.check(text)


def test_training_without_ctc_is_warned_of(data: SpeechData, capsys: pytest.CaptureFixture[str]) -> None:
    ctc = config()
    data.check(ctc)
    assert capsys.readouterr().err == ""
    data.check(ctc.model_copy(update={"model": ctc.model.model_copy(update={"ctc": False})}))
    assert "model.ctc is off" in capsys.readouterr().err


@pytest.mark.parametrize("statistics", [None, Statistics(torch.zeros(40), torch.full((40,), 2.0))])
def test_voices_are_warped_before_they_are_normalised(data: SpeechData, statistics: Statistics | None) -> None:
    data = replace(data, codec=replace(data.codec, statistics=statistics))
    part, bank = segments(data, speeds=(1.0,), warp=0.2), data.codec.filter_bank
    drawn, plain = part.draw(range(8), epoch=1), part.draw(range(8), None)
    factors = [take.warp for take in drawn.takes]
    assert 0.8 <= min(factors) < 1 < max(factors) <= 1.2
    for row, record in enumerate(islice(part.records(), 8)):
        raw = warp_bands(bank(part.samples(record)), bank.places(factors[row]))
        features, target = drawn.pair(row)
        assert target == plain.pair(row)[1]
        assert torch.equal(features, normalise(raw, statistics))
        assert not torch.equal(features, plain.pair(row)[0])


def test_speakers_are_known_but_in_a_share_of_training(data: SpeechData) -> None:
    speakers = {name: Statistics(torch.zeros(40), torch.full((40,), size)) for name, size in (("s0", 2.0), ("s1", 3.0))}
    part = replace(segments(data, speeds=(1.0,)), speakers=speakers)
    drawn, bank, names = part.draw(range(len(part)), epoch=1), data.codec.filter_bank, part.column("speaker")
    assert 0.1 < sum(take.alone for take in drawn.takes) / len(part) < 0.5
    for row, record in enumerate(islice(part.records(), 20)):
        raw = bank(part.samples(record))
        own = normalise(raw, None if drawn.takes[row].alone else speakers[names[row]])
        assert torch.equal(drawn.pair(row)[0], own)
        assert torch.equal(part.draw([row], None).pair(0)[0], normalise(raw, speakers[names[row]]))
    warped = replace(segments(data, speeds=(1.0,), warp=0.2, unknown_speaker=0.0), speakers=speakers)
    drawn = warped.draw(range(20), epoch=1)
    for row, record in enumerate(islice(part.records(), 20)):  # the statistics are those of the voice as it was
        own = normalise(bank(part.samples(record)), speakers[names[row]])
        assert torch.equal(drawn.pair(row)[0], warp_bands(own, bank.places(drawn.takes[row].warp)))


def test_only_recordings_of_one_speaker_are_joined(data: SpeechData) -> None:
    part = segments(data, joined=4)
    speakers, texts = part.column("speaker"), part.references()
    drawn = part.draw(range(len(part)), epoch=2)
    assert {len(take.rows) for take in drawn.takes} == {1, 2, 3, 4}
    for row, take in enumerate(drawn.takes):
        assert take.rows[0] == row
        assert {speakers[other] for other in take.rows} == {speakers[row]}
        assert data.codec.decode(drawn.pair(row)[1]).strip() == " ".join(texts[other] for other in take.rows)


def test_validation_is_without_augmentation(data: SpeechData) -> None:
    batches = list(validation_batches(data.segments("dev"), 1000))
    assert sorted(row for batch in batches for row in batch.indices) == list(range(SIZES["dev"]))
    for batch in batches:
        assert batch.source.shape[1] % 16 == 0
        for place, row in enumerate(batch.indices):
            features, _ = data.segments("dev").draw([row], None).pair(0)
            length = int(batch.source_lengths[place])
            assert torch.equal(batch.source[place, :length], features)
            assert not batch.source[place, length:].any()


def test_the_first_epoch_can_begin_with_the_shortest(data: SpeechData) -> None:
    batches = TrainingBatches(segments(data), 400, 1, shortest_first=True)
    widths = [batch.source.shape[1] for batch in batches.epoch(0)]
    assert widths == sorted(widths)
    later = [batch.source.shape[1] for batch in batches.epoch(1)]
    assert later != sorted(later)


def test_a_codec_is_what_was_saved(data: SpeechData, tmp_path: Path) -> None:
    data.codec.save(tmp_path)
    again = SpeechCodec.load(tmp_path)
    samples = torch.randn(4000, generator=torch.Generator().manual_seed(1))
    assert torch.equal(again.features(samples), data.codec.features(samples))
    assert (again.languages, again.longest, again.source_size) == (("en",), 10.0, 40)
    (tmp_path / "speech.json").write_text('{"language": "en"}')
    with pytest.raises(ModelError, match=r"speech\.json does not describe features of speech"):
        SpeechCodec.load(tmp_path)


def test_a_model_that_hears_other_features_is_refused(data: SpeechData) -> None:
    other = replace(data.codec, settings=replace(data.codec.settings, rate=16_000))
    with pytest.raises(ConfigError, match=r"hears 40 bands of 16,000 Hz .* --rate 16000 --bands 40\."):
        data.with_codec(other)


def test_characters_without_a_unit_in_the_model_to_start_from_are_warned_of(
    data: SpeechData, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = data.segments("train").references()
    missing, *known = sorted(set("".join(texts)) - {" "})
    other = train_tokenizer(lambda: ["".join(known)] * 20, "characters", None, 400, spoken=True)
    data.with_codec(replace(data.codec, target=other)).check(config())
    assert f"⁇ for them: {missing!r} (in {sum(missing in text for text in texts)})." in capsys.readouterr().err
    again = SentencePieceTokenizer(data.codec.target.model)
    data.with_codec(replace(data.codec, target=again)).check(config())
    assert capsys.readouterr().err == ""


def test_a_recording_that_has_changed_since_is_an_error(tmp_path: Path) -> None:
    part = open_speech(prepare_tones(tmp_path)).segments("train")
    record = next(part.records())
    samples = part.samples(record)
    soundfile.write(part.folder / record["audio"], samples[:-1].numpy(), part.codec.settings.rate)
    with pytest.raises(DataError, match=r"has changed since it was prepared: .* Prepare the data again\."):
        part.samples(record)


def test_data_of_the_other_kind_is_refused(data: SpeechData, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds audio and no parallel text"):
        open_text(data.path)
    with pytest.raises(DataError, match="holds text and no audio"):
        open_speech(prepare_digits(tmp_path))


def test_hypotheses_are_bounded_by_the_seconds_of_audio(data: SpeechData) -> None:
    frames = torch.tensor([0, 100, 1000])
    assert data.codec.longest_targets(frames).tolist() == [10, 40, 310]
