"""What makes new recordings out of old ones in training: speed, volume, warping, masks. What comes in stays."""

import random
from typing import Protocol

from torch import Tensor

from s2s.audio.resampling import resample, resampled_length


class Masks(Protocol):
    """How many masks there are, and the fraction of the frames or bands that each of them covers at most."""

    @property
    def time_masks(self) -> int:
        """The number of masks over time."""

    @property
    def time_mask(self) -> float:
        """The fraction of the frames."""

    @property
    def frequency_masks(self) -> int:
        """The number of masks over bands."""

    @property
    def frequency_mask(self) -> float:
        """The fraction of the bands."""


def change_speed(samples: Tensor, rate: int, factor: float) -> Tensor:
    """Samples (N,) of `rate` Hz played `factor` times as fast: (`samples_after_speed(N)`,), tempo and pitch alike.

    Ko, Peddinti, Povey and Khudanpur, "Audio Augmentation for Speech Recognition", Interspeech 2015.
    """
    return resample(samples, round(rate * factor), rate)


def samples_after_speed(samples: int, rate: int, factor: float) -> int:
    """How many samples `change_speed` makes out of so many."""
    return resampled_length(samples, round(rate * factor), rate)


def change_volume(samples: Tensor, decibels: float) -> Tensor:
    """Samples (N,) that are louder, or softer where `decibels` is negative.

    Features that are normalised per utterance do not hear it, apart from what falls below their floor.
    """
    return samples * 10 ** (decibels / 20)


def warp_bands(features: Tensor, places: Tensor) -> Tensor:
    """Features (S, F) read at `places` (F,), indices of bands as fractions: linear between two bands.

    At the places of `FilterBank.places` another person seems to speak, at the same pace.
    """
    below = places.floor().long()
    above = (below + 1).clamp(max=features.shape[1] - 1)
    return features[:, below].lerp(features[:, above], places - below)


def mask(features: Tensor, draw: random.Random, masks: Masks) -> Tensor:
    """Normalised features (S, F), zero (their mean) in spans of frames and of bands.

    SpecAugment without time warping (Park et al. 2019, arXiv:1904.08779). The width of a mask is drawn first, from none
    to its largest, then its place.
    """
    masked = features.clone()
    frames, bands = features.shape
    for _ in range(masks.time_masks):
        start, end = _span(frames, masks.time_mask, draw)
        masked[start:end] = 0
    for _ in range(masks.frequency_masks):
        start, end = _span(bands, masks.frequency_mask, draw)
        masked[:, start:end] = 0
    return masked


def _span(length: int, fraction: float, draw: random.Random) -> tuple[int, int]:
    """Start and end of a mask."""
    width = draw.randint(0, int(length * fraction))
    start = draw.randint(0, length - width)
    return start, start + width
