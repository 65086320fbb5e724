"""Transcripts as files that other programs read: SRT and WebVTT captions, and NIST's CTM."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from s2s.inference.transcripts import Transcript, Word

LONGEST_LINE = 42
"""Characters of a caption, as broadcasters have it."""

LONGEST_CAPTION = 6.0
"""Seconds that a caption stays."""

PAUSE = 1.0
"""Seconds of silence after which a new caption begins."""


@dataclass(frozen=True)
class Caption:
    """What is shown from `start` to `end`, in seconds."""

    start: float
    end: float
    text: str


def captions(words: Iterable[Word]) -> Iterator[Caption]:
    """Words in captions of one line: a new one where the line is full, six seconds have passed, or nobody speaks."""
    line: list[Word] = []
    for word in words:
        if line and _ends(line, word):
            yield _caption(line)
            line = []
        line.append(word)
    if line:
        yield _caption(line)


def _ends(line: list[Word], word: Word) -> bool:
    letters = sum(len(one.text) + 1 for one in line) + len(word.text)
    return letters > LONGEST_LINE or word.end - line[0].start > LONGEST_CAPTION or word.start - line[-1].end > PAUSE


def _caption(line: list[Word]) -> Caption:
    return Caption(line[0].start, line[-1].end, " ".join(word.text for word in line))


def srt(transcript: Transcript) -> str:
    """SubRip captions."""
    blocks = (
        f"{number}\n{_clock(one.start, ',')} --> {_clock(one.end, ',')}\n{one.text}\n"
        for number, one in enumerate(captions(transcript.words), start=1)
    )
    return "\n".join(blocks)


def vtt(transcript: Transcript) -> str:
    """WebVTT captions, in which & and < have to be written as entities."""
    blocks = (
        f"{_clock(one.start, '.')} --> {_clock(one.end, '.')}\n{_escape(one.text)}\n"
        for one in captions(transcript.words)
    )
    return "\n".join(["WEBVTT\n", *blocks])


def ctm(transcript: Transcript) -> str:
    """NIST's CTM: a line for each word with the recording's name, channel, start, duration, word and confidence."""
    name = Path(transcript.audio).stem.replace(" ", "_") or "-"
    return "".join(
        f"{name} 1 {word.start:.2f} {max(0.01, word.end - word.start):.2f} {word.text} {word.confidence:.3f}\n"
        for word in transcript.words
    )


def _clock(seconds: float, mark: str) -> str:
    thousandths = round(seconds * 1000)
    whole, rest = divmod(thousandths, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{mark}{rest:03}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


FORMATS: Mapping[str, Callable[[Transcript], str]] = {
    "text": lambda transcript: transcript.text + "\n",
    "json": lambda transcript: transcript.to_json() + "\n",
    "srt": srt,
    "vtt": vtt,
    "ctm": ctm,
}
"""How a transcript is written, by name."""

TIMED = frozenset(["srt", "vtt", "ctm"])
"""Those that need the times of words."""

SUFFIXES = {"text": ".txt", "json": ".jsonl", "srt": ".srt", "vtt": ".vtt", "ctm": ".ctm"}
"""The ends of their files' names."""
