"""Windows of long recordings: whole, in order, no longer than allowed, cut where it is quiet."""

from pathlib import Path

import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st

from s2s.audio.windows import cut_windows, quietest, windows

RATE = 100


@given(
    sizes=st.lists(st.integers(1, 900), min_size=1, max_size=6),
    longest=st.floats(0.5, 5.0),
    seed=st.integers(0, 3),
)
def test_nothing_is_lost_and_no_window_is_too_long(sizes: list[int], longest: float, seed: int) -> None:
    samples = torch.randn(sum(sizes), generator=torch.Generator().manual_seed(seed))
    found = list(cut_windows(samples.split(sizes), RATE, longest))
    assert torch.equal(torch.cat([window.samples for window in found]), samples)
    assert all(0 < len(window.samples) <= round(longest * RATE) for window in found)
    position = 0
    for window in found:
        assert window.start == position / RATE
        position += len(window.samples)


def test_a_short_recording_is_one_window() -> None:
    (window,) = cut_windows([torch.ones(100)], RATE, 1.0)
    assert (window.start, len(window.samples)) == (0.0, 100)


def test_the_cut_is_in_the_pause() -> None:
    samples = torch.ones(1000)
    samples[700:760] = 0.0
    assert 700 < quietest(samples, RATE) < 760
    samples[:100] = 0.0  # a longer pause, but so early that the window would be nearly empty
    assert 700 < quietest(samples, RATE) < 760


@pytest.mark.parametrize("rate", [8000, 44_100])
def test_windows_of_a_file_are_those_of_its_samples(tmp_path: Path, rate: int) -> None:
    time = torch.arange(rate * 9) / rate
    soundfile.write(tmp_path / "long.wav", torch.sin(900 * time).numpy(), rate)
    found = list(windows(tmp_path / "long.wav", 8000, 2.0))
    assert abs(sum(len(window.samples) for window in found) - 72_000) < len(found)
    assert max(len(window.samples) for window in found) <= 16_000


def test_how_a_recording_is_read_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = 0.1 * torch.randn(11_025 * 9, generator=torch.Generator().manual_seed(1))
    soundfile.write(tmp_path / "long.wav", samples.numpy(), 11_025)
    whole = list(windows(tmp_path / "long.wav", 8000, 2.0))
    monkeypatch.setattr("s2s.audio.windows.BLOCK", 1.0)
    pieces = list(windows(tmp_path / "long.wav", 8000, 2.0))
    assert [window.start for window in pieces] == [window.start for window in whole]
    assert all(torch.equal(one.samples, other.samples) for one, other in zip(pieces, whole, strict=True))
