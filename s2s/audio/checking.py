"""Is a recording fit for training? Each is opened once."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from s2s.audio.findings import Finding
from s2s.audio.reading import AudioFile, Recording
from s2s.audio.utterances import Utterance
from s2s.errors import AudioError

SILENCE = 1e-3
"""-60 dB of full scale: in a recording without a louder sample nothing is said."""

MOST_CHARACTERS = 40.0
"""Characters of text per second, more than anybody speaks."""

FEWEST_CHARACTERS = 0.3
"""Characters of text per second; fewer in more than `LONGEST_PAUSE` seconds are not all that is said."""

LONGEST_PAUSE = 10.0

FULL_SCALE = 0.999
CLIPPED = 1e-3
"""The share of samples at full scale from which on a recording counts as clipped."""

NO_TEXT, TOO_SHORT, TOO_LONG, SILENT = "no text", "shorter than a frame", "too long", "silent"
TOO_SHORT_FOR_TEXT, TOO_LONG_FOR_TEXT = "too short for the text", "too long for the text"
SEVERAL_CHANNELS, IS_CLIPPED = "several channels, mixed down", "clipped"


@dataclass(frozen=True)
class CheckSettings:
    """The longest and the shortest that an utterance may be, in seconds; the latter is a frame of the features."""

    max_seconds: float = 30.0
    window: float = 0.025


def check(utterance: Utterance, settings: CheckSettings) -> Finding:
    """Read an utterance, unless its header is enough, and say what is wrong; nothing is raised for its audio."""
    text = (utterance.text or "").strip()
    if not text:
        return Finding(utterance.id, NO_TEXT, f"{utterance.id} has no text.")
    try:
        with AudioFile(utterance.audio) as file:
            length = utterance.duration or file.format.seconds - utterance.offset
            if length > settings.max_seconds:
                detail = f"{utterance.id} has {length:.1f} s, more than {settings.max_seconds:g} s."
                return Finding(utterance.id, TOO_LONG, detail)
            recording = file.read(utterance.offset, utterance.duration)
    except AudioError as error:
        return Finding(utterance.id, error.problem, str(error))
    problem, detail = _problem(recording, len(text), settings)
    return Finding(
        utterance.id,
        problem,
        f"{utterance.id} {detail}." if problem else "",
        tuple(_remarks(recording)),
        recording.rate,
        len(recording.samples),
    )


def is_silent(samples: Tensor) -> bool:
    """Whether no sample (N,) reaches -60 dB of full scale; a constant offset is not heard."""
    low, high = samples.aminmax()
    return float(high - low) < 2 * SILENCE


def _problem(recording: Recording, characters: int, settings: CheckSettings) -> tuple[str | None, str]:
    """The kind of what is wrong, if anything, and what it is."""
    seconds = recording.seconds
    spoken = f"has {characters:,} characters of text in {seconds:.2f} s"
    if seconds < settings.window:
        return TOO_SHORT, f"has {seconds * 1000:.1f} ms, less than a frame of {settings.window * 1000:g} ms"
    if is_silent(recording.samples):
        return SILENT, "has no sample above -60 dB of full scale"
    if characters > MOST_CHARACTERS * seconds:
        return TOO_SHORT_FOR_TEXT, f"{spoken}, more than {MOST_CHARACTERS:g} a second"
    if seconds > LONGEST_PAUSE and characters < FEWEST_CHARACTERS * seconds:
        return TOO_LONG_FOR_TEXT, f"{spoken}, fewer than {FEWEST_CHARACTERS:g} a second"
    return None, ""


def _remarks(recording: Recording) -> Iterator[str]:
    """What is odd, but does no harm."""
    if recording.channels > 1:
        yield SEVERAL_CHANNELS
    if (recording.samples.abs() >= FULL_SCALE).sum() > CLIPPED * len(recording.samples):
        yield IS_CLIPPED
