"""Log-mel features of one utterance at a time, never of padded audio, and their normalisation."""

import math
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from s2s.audio.backend import torchaudio
from s2s.errors import DataError, ModelError, UsageError

LOWEST = 20.0
"""Hz at which the lowest band begins."""

FLOOR = 1e-8
"""The least power of a band, that of the rounding of 16-bit samples: silence made of zeros is no quieter than that."""

LEAST_STD = 0.1
"""A band that changes less is not blown up to the size of the others."""

FORMANTS = 4_800.0
"""Hz up to which the resonances of a voice lie."""

ROWS = 256
"""Frames that are computed at once, so that they stay in the processor's cache and long recordings cost no memory."""

BOUNDS: dict[str, tuple[float, float]] = {
    "rate": (4_000, 48_000),
    "bands": (8, 256),
    "window": (0.01, 0.1),
    "shift": (0.002, 0.1),
}


def default_bands(rate: int) -> int:
    """The number of bands for a rate in Hz: 80 from 16,000 on, 40 below."""
    return 80 if rate >= 16_000 else 40


@dataclass(frozen=True)
class FeatureSettings:
    """What samples are turned into: `rate` in Hz, number of `bands` F, `window` and `shift` of a frame in seconds.

    UsageError for values out of bounds.
    """

    rate: int = 16_000
    bands: int = 80
    window: float = 0.025
    shift: float = 0.01

    def __post_init__(self) -> None:
        """UsageError names all values that cannot be used."""
        wrong = [
            f"{name} must be {'a whole number ' if name in ('rate', 'bands') else ''}from {low:g} to {high:g} "
            f"(it is {getattr(self, name)!r})"
            for name, (low, high) in BOUNDS.items()
            if not _is_number(getattr(self, name), whole=name in ("rate", "bands"))
            or not low <= getattr(self, name) <= high
        ]
        if not wrong and self.shift > self.window:
            wrong.append(f"shift must not be longer than window (they are {self.shift} and {self.window})")
        if wrong:
            raise UsageError(f"The settings of the features cannot be used: {'; '.join(wrong)}.")

    def to_document(self) -> dict[str, Any]:
        """The settings for JSON; `from_document` reads them back."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Any) -> "FeatureSettings":
        """What `to_document` wrote; ModelError when it is damaged."""
        names = {field.name for field in fields(cls)}
        if not isinstance(document, dict) or document.keys() != names:
            raise ModelError(f"The settings of the features are damaged: {', '.join(sorted(names))} are wanted.")
        try:
            return cls(**document)
        except UsageError as error:
            raise ModelError(str(error)) from error


def _is_number(value: object, whole: bool) -> bool:
    return isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True)
class FilterBank:
    """Logarithms of the power in bands that are equally wide on the mel scale.

    The mean of the samples is taken away; a frame is a periodic Hann window; triangular filters go from 20 Hz to half
    of the rate; the natural logarithm has a floor. There is no pre-emphasis: it would add a constant to each band,
    which normalisation takes away.
    """

    settings: FeatureSettings

    def __call__(self, samples: Tensor) -> Tensor:
        """Samples (N,), N >= 1, to features (S, F) in float32 that are not normalised; S is `frames(N)`."""
        assert samples.ndim == 1
        assert len(samples) > 0
        centred = samples - samples.mean()
        whole = pad(centred, (0, max(0, self.window_length - len(samples))))
        frames = whole.unfold(0, self.window_length, self.shift_length)
        return torch.cat([self._log_mel(frames[row : row + ROWS]) for row in range(0, len(frames), ROWS)])

    def frames(self, samples: int) -> int:
        """S, how many frames so many samples give: all that fit, and at least one, with zeros after the samples."""
        return max(1, 1 + (samples - self.window_length) // self.shift_length)

    def _log_mel(self, frames: Tensor) -> Tensor:
        """Rows of samples (S, window) to features (S, F)."""
        spectrum = torch.fft.rfft(frames * self._window, n=self.fft_length)
        power: Tensor = spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)
        return (power @ self._filters).clamp_(min=FLOOR).log_()

    def places(self, warp: float) -> Tensor:
        """Indices of bands (F,), as fractions, at which to read features of a voice `warp` times as high as it was."""
        top = self.settings.rate / 2
        low, high = _mel(LOWEST), _mel(top)
        width = (high - low) / (self.settings.bands + 1)
        centres = (_hertz(low + width * (1 + band)) for band in range(self.settings.bands))
        places = [(_mel(warped(centre, 1 / warp, top)) - low) / width - 1 for centre in centres]
        return torch.tensor(places).clamp(0, self.settings.bands - 1)

    @cached_property
    def window_length(self) -> int:
        """Samples in a frame."""
        return round(self.settings.window * self.settings.rate)

    @cached_property
    def shift_length(self) -> int:
        """Samples from the start of a frame to that of the next."""
        return round(self.settings.shift * self.settings.rate)

    @cached_property
    def fft_length(self) -> int:
        """A power of two that holds a window, and with which no band falls between two frequencies."""
        low, high = _mel(LOWEST), _mel(self.settings.rate / 2)
        third = _hertz(low + 2 * (high - low) / (self.settings.bands + 1))
        least = max(self.window_length, self.settings.rate / (third - LOWEST))
        return int(2 ** math.ceil(math.log2(least)))

    @cached_property
    def _window(self) -> Tensor:
        return torch.hann_window(self.window_length)

    @cached_property
    def _filters(self) -> Tensor:
        """Frequencies to bands: (fft_length / 2 + 1, F)."""
        settings, bins = self.settings, self.fft_length // 2 + 1
        make = torchaudio().functional.melscale_fbanks
        filters: Tensor = make(bins, LOWEST, settings.rate / 2, settings.bands, settings.rate)
        return filters


def warped(hertz: float, factor: float, top: float) -> float:
    """A frequency times `factor`; beyond FORMANTS, or 0.8 of `top` where that is less, on a line that ends in `top`.

    Jaitly and Hinton, "Vocal Tract Length Perturbation (VTLP) Improves Speech Recognition", ICML Workshop 2013.
    """
    knee = min(FORMANTS, 0.8 * top) * min(factor, 1) / factor
    if hertz <= knee:
        return hertz * factor
    return top - (top - knee * factor) / (top - knee) * (top - hertz)


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def _hertz(mel: float) -> float:
    return 700 * (10 ** (mel / 2595) - 1)


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation (F,) of each band over a corpus."""

    mean: Tensor
    std: Tensor

    def to_document(self) -> dict[str, list[float]]:
        """The numbers for JSON, exact; `from_document` reads them back."""
        return {"mean": self.mean.tolist(), "std": self.std.tolist()}

    @classmethod
    def from_document(cls, document: Any, bands: int) -> "Statistics":
        """What `to_document` wrote for so many bands; ModelError when it is damaged."""
        names = ("mean", "std")
        lists = [document.get(name) if isinstance(document, dict) else None for name in names]
        for name, numbers in zip(names, lists, strict=True):
            if not isinstance(numbers, list) or not all(_is_number(number, whole=False) for number in numbers):
                raise ModelError(f"The statistics of the features are damaged: {name} is not a list of numbers.")
            if len(numbers) != bands:
                raise ModelError(
                    f"The statistics have a {name} of {len(numbers)} bands, but the features have {bands}."
                )
        try:
            mean, std = (torch.tensor(numbers, dtype=torch.float32) for numbers in lists)
        except (OverflowError, RuntimeError) as error:
            raise ModelError(f"The statistics of the features are damaged: {error}.") from error
        if not (mean.isfinite().all() and std.isfinite().all() and (std > 0).all()):
            raise ModelError(
                "The statistics of the features are damaged: they are not finite, or a std is not positive."
            )
        return cls(mean, std)


@dataclass
class StatisticsSum:
    """What statistics are made of: the number of frames, the sums (F,) of features and of their squares in float64."""

    frames: int = 0
    total: Tensor | float = 0.0
    squares: Tensor | float = 0.0

    def add(self, features: Tensor) -> None:
        """Count the features (S, F) of an utterance."""
        numbers = features.double()
        self.frames += len(numbers)
        self.total = self.total + numbers.sum(dim=0)
        self.squares = self.squares + numbers.square().sum(dim=0)

    def result(self) -> Statistics:
        """Mean and standard deviation of all frames; DataError: there are none."""
        if self.frames == 0:
            raise DataError("There are no features to take statistics of.")
        mean = torch.as_tensor(self.total / self.frames)
        variance = torch.as_tensor(self.squares / self.frames) - mean.square()
        return Statistics(mean.float(), variance.clamp(min=LEAST_STD**2).sqrt().float())


def normalise(features: Tensor, statistics: Statistics | None = None) -> Tensor:
    """Features (S, F) with mean 0 and standard deviation 1 in each band: of the utterance, or of a whole corpus.

    Bands that hardly change within the utterance have a smaller one.
    """
    if statistics is not None:
        return (features - statistics.mean) / statistics.std
    centred = features - features.mean(dim=0)
    std = centred.square().mean(dim=0).sqrt_()
    return centred.div_(std.clamp_(min=LEAST_STD))
