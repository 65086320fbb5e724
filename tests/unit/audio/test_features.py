"""Features against a Fourier transform written out, torchaudio's mel spectrogram and Kaldi's filter bank."""

import json
import math
import pickle
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from s2s.audio.backend import torchaudio
from s2s.audio.features import (
    FLOOR,
    LEAST_STD,
    FeatureSettings,
    FilterBank,
    Statistics,
    StatisticsSum,
    default_bands,
    normalise,
)
from s2s.errors import DataError, ModelError, UsageError
from tests.unit.audio.sounds import noise, tone

BANK = FilterBank(FeatureSettings())
NARROW = FilterBank(FeatureSettings(8_000, 40))


def mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def by_hand(frame: Tensor, rate: int, bands: int, points: int) -> list[float]:
    """The features of one frame: a discrete Fourier transform and triangles, in double precision."""
    count = len(frame)
    window = [0.5 - 0.5 * math.cos(2 * math.pi * n / count) for n in range(count)]
    values = [float(sample) * weight for sample, weight in zip(frame.double(), window, strict=True)]
    turns = torch.outer(torch.arange(points // 2 + 1, dtype=torch.float64), torch.arange(count, dtype=torch.float64))
    turned = torch.exp(-2j * math.pi * turns / points) @ torch.tensor(values, dtype=torch.complex128)
    power = (turned.abs() ** 2).tolist()
    steps = [mel(20) + (mel(rate / 2) - mel(20)) * n / (bands + 1) for n in range(bands + 2)]
    edges = [700 * (10 ** (step / 2595) - 1) for step in steps]
    features = []
    for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
        total = 0.0
        for n, energy in enumerate(power):
            hertz = n * rate / points
            total += energy * max(0.0, min((hertz - low) / (middle - low), (high - hertz) / (high - middle)))
        features.append(math.log(max(total, FLOOR)))
    return features


@pytest.mark.parametrize(("bank", "points"), [(BANK, 512), (NARROW, 256)])
def test_a_frame_by_hand(bank: FilterBank, points: int) -> None:
    rate, bands = bank.settings.rate, bank.settings.bands
    samples = noise(0.3, rate) + tone(0.3, rate)
    found = bank(samples)
    start = 7 * rate // 100
    frame = (samples - samples.mean())[start : start + rate // 40]
    assert_close(
        found[7].double(), torch.tensor(by_hand(frame, rate, bands, points), dtype=torch.float64), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("bank", [BANK, NARROW])
def test_torchaudios_mel_spectrogram(bank: FilterBank) -> None:
    rate, window, points = bank.settings.rate, bank.window_length, bank.fft_length
    spectrogram = torchaudio().transforms.MelSpectrogram(
        rate, points, window, bank.shift_length, f_min=20.0, pad=(points - window) // 2, n_mels=bank.settings.bands,
        center=False,
    )  # fmt: skip
    samples = noise(4.0, rate)
    wanted = spectrogram(samples - samples.mean()).clamp(min=FLOOR).log().T
    assert_close(bank(samples), wanted, atol=1e-4, rtol=0)


def test_kaldis_filter_bank_with_its_slightly_other_triangles_and_window() -> None:
    samples = noise(2.0) + tone(2.0)
    wanted = torchaudio().compliance.kaldi.fbank(
        samples[None], num_mel_bins=80, window_type="hanning", preemphasis_coefficient=0.0, dither=0.0, energy_floor=0.0
    )
    found = BANK(samples)
    assert found.shape == wanted.shape
    assert torch.corrcoef(torch.stack([found.flatten(), wanted.flatten()]))[0, 1] > 0.99


def test_a_tone_is_in_its_band() -> None:
    for hertz in (200, 1_000, 5_000):
        middle = int(BANK(tone(hertz=hertz)).mean(dim=0).argmax())
        assert abs((mel(hertz) - mel(20)) / (mel(8_000) - mel(20)) * 81 - 1 - middle) < 1.1


@given(st.integers(1, 4_000), st.sampled_from([BANK, NARROW, FilterBank(FeatureSettings(11_025, 40))]))
def test_the_number_of_frames(samples: int, bank: FilterBank) -> None:
    assert bank(noise(1.0)[:samples]).shape == (bank.frames(samples), bank.settings.bands)


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (399, 1), (400, 1), (559, 1), (560, 2), (16_000, 98)])
def test_the_number_of_frames_by_hand(samples: int, frames: int) -> None:
    assert BANK.frames(samples) == frames


def test_less_than_a_window_gets_zeros_behind_it() -> None:
    samples = noise(0.01)
    padded = torch.cat([samples - samples.mean(), torch.zeros(240)])
    assert_close(
        BANK(samples)[0].double(),
        torch.tensor(by_hand(padded, 16_000, 80, 512), dtype=torch.float64),
        atol=1e-4,
        rtol=0,
    )


def test_frames_do_not_depend_on_how_many_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = noise(6.0)
    whole = BANK(samples)
    monkeypatch.setattr("s2s.audio.features.ROWS", 7)
    assert_close(BANK(samples), whole, atol=1e-5, rtol=0)


def test_silence_and_a_constant_offset_are_the_floor() -> None:
    floor = torch.full((98, 80), math.log(FLOOR))
    assert_close(BANK(torch.zeros(16_000)), floor)
    assert_close(BANK(torch.full((16_000,), 0.25)), floor)


def test_samples_stay_as_they_were() -> None:
    samples = noise()
    before = samples.clone()
    normalise(BANK(samples))
    assert torch.equal(samples, before)


@pytest.mark.parametrize("rate", [4_000, 8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("bands", [8, 40, 80, 256])
def test_no_band_is_empty(rate: int, bands: int) -> None:
    features = FilterBank(FeatureSettings(rate, bands))(noise(0.5, rate))
    assert (features > math.log(FLOOR)).all()


def test_a_filter_bank_goes_to_other_processes() -> None:
    samples = noise(0.1)
    BANK(samples)
    assert torch.equal(pickle.loads(pickle.dumps(BANK))(samples), BANK(samples))  # noqa: S301


class TestNormalisation:
    """Mean and standard deviation of an utterance or of a corpus."""

    def test_of_an_utterance(self) -> None:
        features = BANK(noise(2.0))
        found = normalise(features)
        assert_close(found.mean(dim=0), torch.zeros(80), atol=1e-5, rtol=0)
        assert_close(found.std(dim=0, correction=0), torch.ones(80), atol=1e-5, rtol=0)
        assert_close(found, (features - features.mean(0)) / features.std(0, correction=0))

    def test_what_does_not_change_is_zero(self) -> None:
        assert not normalise(BANK(noise(0.025))).any()
        assert normalise(BANK(torch.zeros(16_000))).abs().max() < 1e-4

    def test_small_changes_are_not_blown_up(self) -> None:
        features = torch.tensor([[0.0], [LEAST_STD / 100]])
        assert_close(normalise(features), torch.tensor([[-0.005], [0.005]]))

    def test_loudness_is_not_heard(self) -> None:
        assert_close(normalise(BANK(noise())), normalise(BANK(noise() / 4)), atol=1e-3, rtol=0)

    def test_of_a_corpus(self) -> None:
        utterances = [BANK(noise(seconds) * 10**-seconds) for seconds in (0.5, 1.0, 2.0)]
        sums = StatisticsSum()
        for features in utterances:
            sums.add(features)
        found = sums.result()
        together = torch.cat(utterances).double()
        assert sums.frames == len(together)
        assert_close(found.mean, together.mean(0).float())
        assert_close(found.std, together.std(0, correction=0).float())
        normalised = torch.cat([normalise(features, found) for features in utterances])
        assert_close(normalised.std(0, correction=0), torch.ones(80), atol=1e-4, rtol=0)
        assert normalise(utterances[0], found).mean() > 0.5 > normalise(utterances[2], found).mean()

    def test_of_nothing(self) -> None:
        with pytest.raises(DataError, match="no features"):
            StatisticsSum().result()

    def test_of_silence(self) -> None:
        sums = StatisticsSum()
        sums.add(BANK(torch.zeros(16_000)))
        assert_close(sums.result().std, torch.full((80,), LEAST_STD))


class TestRecords:
    """Settings and statistics as JSON."""

    @pytest.mark.parametrize("settings", [FeatureSettings(), FeatureSettings(8_000, 40, 0.032, 0.008)])
    def test_settings_come_back(self, settings: FeatureSettings) -> None:
        assert FeatureSettings.from_document(json.loads(json.dumps(settings.to_document()))) == settings

    def test_statistics_come_back(self) -> None:
        statistics = Statistics(torch.randn(80), torch.rand(80) + 0.1)
        found = Statistics.from_document(json.loads(json.dumps(statistics.to_document())), 80)
        assert torch.equal(found.mean, statistics.mean)
        assert torch.equal(found.std, statistics.std)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"rate": 2_000}, r"rate must be a whole number from 4000 to 48000 \(it is 2000\)"),
            ({"rate": 16_000.0}, "rate must be a whole number"),
            ({"rate": True, "bands": 7}, "rate must be .*; bands must be a whole number from 8 to 256"),
            ({"rate": 10**400}, "rate must be"),
            ({"window": float("nan")}, r"window must be from 0\.01 to 0\.1"),
            ({"window": "long"}, "window must be"),
            ({"shift": 0}, "shift must be from"),
            ({"shift": 0.05}, r"shift must not be longer than window \(they are 0\.05 and 0\.025\)"),
        ],
    )
    def test_settings_out_of_bounds(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(UsageError, match=message):
            FeatureSettings(**changes)
        with pytest.raises(ModelError, match=message):
            FeatureSettings.from_document(FeatureSettings().to_document() | changes)

    @pytest.mark.parametrize(
        "document", [None, [], {}, {"rate": 16_000}, FeatureSettings().to_document() | {"dither": 1}]
    )
    def test_damaged_settings(self, document: object) -> None:
        with pytest.raises(ModelError, match="damaged: bands, rate, shift, window are wanted"):
            FeatureSettings.from_document(document)

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            (None, "mean is not a list of numbers"),
            ({"mean": [0.0] * 8}, "std is not a list of numbers"),
            ({"mean": [0.0] * 8, "std": ["1"] * 8}, "std is not a list of numbers"),
            ({"mean": [0.0] * 7, "std": [1.0] * 8}, "mean of 7 bands, but the features have 8"),
            ({"mean": [0.0] * 8, "std": [1.0] * 7 + [0.0]}, "a std is not positive"),
            ({"mean": [float("nan")] * 8, "std": [1.0] * 8}, "not finite"),
            ({"mean": [10**400] * 8, "std": [1.0] * 8}, "damaged"),
        ],
    )
    def test_damaged_statistics(self, document: object, message: str) -> None:
        with pytest.raises(ModelError, match=message):
            Statistics.from_document(document, 8)

    @pytest.mark.parametrize(("rate", "bands"), [(8_000, 40), (11_025, 40), (16_000, 80), (44_100, 80)])
    def test_default_bands(self, rate: int, bands: int) -> None:
        assert default_bands(rate) == bands
