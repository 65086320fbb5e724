"""Resampling keeps tones where they are, removes what has no place, and gives exactly as many samples as it says."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from s2s.audio.backend import torchaudio
from s2s.audio.resampling import resample, resampled_length
from tests.unit.audio.sounds import noise, tone

RATES = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("new_rate", [8_000, 16_000])
def test_a_tone_stays_what_it_is(rate: int, new_rate: int) -> None:
    found = resample(tone(rate=rate), rate, new_rate)
    inside = slice(new_rate // 20, -new_rate // 20)
    assert_close(found[inside], tone(rate=new_rate)[inside], rtol=0, atol=1e-3)
    assert len(found) == new_rate


@pytest.mark.parametrize("rate", RATES)
def test_it_is_torchaudios_own_resampling(rate: int) -> None:
    samples = noise(0.3, rate)
    assert_close(resample(samples, rate, 16_000), torchaudio().functional.resample(samples, rate, 16_000))


def test_what_is_too_high_for_the_new_rate_is_gone() -> None:
    loud = tone(rate=48_000, hertz=12_000)
    assert resample(loud, 48_000, 16_000)[500:-500].abs().max() < 3e-3 * loud.abs().max()


def test_the_same_rate_changes_nothing() -> None:
    samples = tone()
    assert resample(samples, 16_000, 16_000) is samples


def test_the_original_stays() -> None:
    samples = tone()
    before = samples.clone()
    resample(samples, 16_000, 8_000)
    assert torch.equal(samples, before)


@given(st.integers(1, 3_000), st.sampled_from(RATES), st.sampled_from(RATES))
def test_lengths_are_those_of_the_exact_ratio(samples: int, rate: int, new_rate: int) -> None:
    wanted = -(-samples * new_rate // rate)
    assert resampled_length(samples, rate, new_rate) == wanted
    assert len(resample(torch.zeros(samples), rate, new_rate)) == wanted


def test_lengths_are_exact_where_single_precision_is_not() -> None:
    assert resampled_length(10**9 + 1, 9, 10) == math.ceil((10**9 + 1) * 10 / 9) == 1_111_111_113


@pytest.mark.parametrize("rate", [44_099, 16_001, 12_347, 1_000, 1_000_000])
def test_an_odd_rate_is_cheap_and_nearly_exact(rate: int) -> None:
    samples = torch.zeros(rate)
    found = resample(samples, rate, 16_000)
    assert len(found) == resampled_length(rate, rate, 16_000)
    assert abs(len(found) - 16_000) <= 0.0005 * 16_000 + 1


@given(st.integers(1_000, 1_000_000), st.integers(4_000, 48_000))
def test_no_ratio_is_off_by_more_than_it_says(rate: int, new_rate: int) -> None:
    assert abs(resampled_length(10**9, rate, new_rate) / (10**9 * new_rate / rate) - 1) <= 0.0005 + 1e-6
