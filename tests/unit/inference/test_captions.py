"""Captions and CTM: clock times, line lengths, pauses, marks that WebVTT would take for tags."""

import pytest

from s2s.inference.captions import captions, ctm, srt, vtt
from s2s.inference.transcripts import Passage, Transcript, Word


def transcript(*words: Word) -> Transcript:
    return Transcript("my call", "folder/my call.wav", 20.0, (Passage(0.0, 20.0, "", 0.0, words, ()),))


def word(text: str, start: float, length: float = 0.4) -> Word:
    return Word(text, start, start + length, 0.5)


def test_a_caption_ends_with_the_line_the_time_or_a_pause() -> None:
    full = [word("sentences", 0.5 * n) for n in range(5)]
    assert [caption.text for caption in captions(full)] == ["sentences " * 3 + "sentences", "sentences"]
    slow = [word("a", 1.2 * n, 0.8) for n in range(6)]
    assert [len(caption.text.split()) for caption in captions(slow)] == [5, 1]
    paused = [word("one", 0.0), word("two", 2.0)]
    assert [(caption.start, caption.end) for caption in captions(paused)] == [(0.0, 0.4), (2.0, 2.4)]


def test_srt() -> None:
    found = srt(transcript(word("hello", 0.0), word("there", 3661.5)))
    assert found == "1\n00:00:00,000 --> 00:00:00,400\nhello\n\n2\n01:01:01,500 --> 01:01:01,900\nthere\n"


def test_vtt() -> None:
    assert vtt(transcript(word("a<b>&c", 1.0))) == "WEBVTT\n\n00:00:01.000 --> 00:00:01.400\na&lt;b&gt;&amp;c\n"
    assert vtt(transcript()) == "WEBVTT\n"


def test_ctm() -> None:
    assert ctm(transcript(word("hello", 1.0))) == "my_call 1 1.00 0.40 hello 0.500\n"


@pytest.mark.parametrize("write", [srt, ctm])
def test_nothing_heard_gives_an_empty_file(write: object) -> None:
    assert callable(write)
    assert write(transcript()) == ""
