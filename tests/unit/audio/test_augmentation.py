"""Speed, volume, warping and masks: exact lengths, bounded masks, the same draw gives the same, originals stay."""

import random
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from s2s.audio.augmentation import change_speed, change_volume, mask, samples_after_speed, warp_bands
from s2s.audio.backend import torchaudio
from s2s.audio.features import FeatureSettings, FilterBank, warped
from tests.unit.audio.sounds import noise, tone


@dataclass(frozen=True)
class Masks:
    """What SpecAugment needs to know."""

    time_masks: int = 2
    time_mask: float = 0.2
    frequency_masks: int = 2
    frequency_mask: float = 0.3


@pytest.mark.parametrize(("factor", "hertz"), [(0.9, 396), (1.1, 484), (0.5, 220), (2.0, 880)])
def test_speed_changes_tempo_and_pitch(factor: float, hertz: float) -> None:
    found = change_speed(tone(2.0), 16_000, factor)
    assert len(found) == samples_after_speed(32_000, 16_000, factor) == -(-32_000 // factor)
    wanted = tone(len(found) / 16_000, hertz=hertz)
    assert_close(found[400:-400], wanted[400:-400], rtol=0, atol=1e-3)


@pytest.mark.parametrize("factor", [0.9, 1.1, 0.95])
def test_speed_is_torchaudios(factor: float) -> None:
    samples = noise(0.5)
    wanted, _ = torchaudio().functional.speed(samples, 16_000, factor)
    assert_close(change_speed(samples, 16_000, factor), wanted)


@settings(max_examples=30)
@given(st.integers(1, 5_000), st.sampled_from([8_000, 11_025, 16_000]), st.floats(0.5, 2.0))
def test_the_number_of_samples_is_known_before(samples: int, rate: int, factor: float) -> None:
    assert len(change_speed(torch.zeros(samples), rate, factor)) == samples_after_speed(samples, rate, factor)


def test_volume() -> None:
    assert_close(change_volume(tone(), 20.0), tone() * 10)
    assert_close(change_volume(tone(), -6.0206), tone() / 2)
    assert_close(change_volume(tone(), 0.0), tone())


def test_warped_bands_are_read_between_two() -> None:
    features = torch.tensor([[0.0, 10.0, 20.0, 30.0], [1.0, 2.0, 4.0, 8.0]])
    found = warp_bands(features, torch.tensor([0.0, 0.5, 2.25, 3.0]))
    assert_close(found, torch.tensor([[0.0, 5.0, 22.5, 30.0], [1.0, 1.5, 5.0, 8.0]]))
    assert torch.equal(warp_bands(features, torch.arange(4.0)), features)


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.2])
def test_warping_moves_a_tone_up_or_down_and_keeps_its_length(factor: float) -> None:
    bank = FilterBank(FeatureSettings())
    wanted = bank(tone(0.5, hertz=2_000 * factor))
    found = warp_bands(bank(tone(0.5, hertz=2_000)), bank.places(factor))
    assert found.shape == wanted.shape
    assert torch.equal(found.argmax(dim=1), wanted.argmax(dim=1))


@pytest.mark.parametrize(
    ("hertz", "factor", "wanted"),
    [
        (4_000, 1.1, 4_400),
        (4_000, 0.9, 3_600),
        (4_800, 0.9, 4_320),
        (4_800 / 1.1, 1.1, 4_800),
        (8_000, 1.1, 8_000),
        (8_000, 0.9, 8_000),
        (6_400, 0.9, (4_320 + 8_000) / 2),
    ],
)
def test_warped_frequencies_by_hand(hertz: float, factor: float, wanted: float) -> None:
    assert warped(hertz, factor, 8_000) == pytest.approx(wanted)


@given(st.floats(0.5, 1.5), st.sampled_from([8_000, 16_000, 44_100]))
def test_warped_bands_stay_in_their_order_and_within_the_bands(factor: float, rate: int) -> None:
    places = FilterBank(FeatureSettings(rate, 40)).places(factor)
    assert (places.diff() > 0).sum() >= 30
    assert (places.diff() >= 0).all()
    assert 0 <= places.min() <= places.max() <= 39


@given(st.integers(1, 300), st.integers(8, 80), st.integers(0, 2**32), st.floats(0, 0.9), st.floats(0, 0.9))
def test_masks(frames: int, bands: int, seed: int, time_mask: float, frequency_mask: float) -> None:
    features = torch.rand(frames, bands) + 1
    before = features.clone()
    masks = Masks(2, time_mask, 1, frequency_mask)
    found = mask(features, random.Random(seed), masks)
    assert torch.equal(features, before)
    assert torch.equal(found, mask(features, random.Random(seed), masks))
    kept = found == features
    assert (kept | (found == 0)).all()
    whole_frames, whole_bands = (~kept).all(dim=1), (~kept).all(dim=0)
    assert torch.equal(~kept, whole_frames[:, None] | whole_bands[None])
    if frequency_mask * bands < bands - 1 and 2 * time_mask * frames < frames - 1:
        assert whole_frames.sum() <= 2 * int(time_mask * frames)
        assert whole_bands.sum() <= int(frequency_mask * bands)


def test_masks_reach_their_largest_width_and_all_places() -> None:
    features = torch.ones(10, 10)
    draw = random.Random(1)
    widths, places = set(), set()
    for _ in range(300):
        masked = (mask(features, draw, Masks(1, 0.3, 0, 0.0)) == 0).all(dim=1)
        widths.add(int(masked.sum()))
        places |= set(masked.nonzero().flatten().tolist())
    assert widths == {0, 1, 2, 3}
    assert places == set(range(10))


def test_other_draws_give_other_masks() -> None:
    features = torch.ones(200, 80)
    draw = random.Random(1)
    assert not torch.equal(mask(features, draw, Masks()), mask(features, draw, Masks()))


def test_no_masks_change_nothing() -> None:
    features = noise().view(200, 80)
    assert torch.equal(mask(features, random.Random(1), Masks(0, 0.5, 0, 0.5)), features)
    assert torch.equal(mask(features, random.Random(1), Masks(3, 0.0, 3, 0.0)), features)


@pytest.mark.parametrize("change", [lambda x: change_speed(x, 16_000, 0.9), lambda x: change_volume(x, 3.0)])
def test_originals_stay(change: object) -> None:
    samples = tone()
    assert callable(change)
    assert change(samples) is not samples
    assert torch.equal(samples, tone())
