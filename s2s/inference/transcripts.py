"""What transcription gives back for one recording."""

from dataclasses import dataclass

from s2s.inference.results import Candidate, json_line


@dataclass(frozen=True)
class Word:
    """A word with its times in seconds from the start of the recording, and how sure the model is of it (0 to 1)."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Passage:
    """A stretch of a recording that was transcribed at once; a short recording has one.

    `score` is the length-normalised log-probability by which hypotheses are ranked (0 for silence, of which nothing is
    asked). `words` is empty where the model has no CTC to align them; where CTC has no room for them, times
    are guessed and confidences 0. `cut` tells that the text had no end at the longest length, and may lack the rest.
    """

    start: float
    end: float
    text: str
    score: float
    words: tuple[Word, ...]
    n_best: tuple[Candidate, ...]
    cut: bool = False


@dataclass(frozen=True)
class Transcript:
    """One recording; `id` is its name without folder and suffix, as `s2s evaluate wer` matches it with a reference.

    `problem` tells why it could not be read, to its end or at all.
    """

    id: str
    audio: str
    seconds: float
    passages: tuple[Passage, ...]
    problem: str | None = None

    @property
    def text(self) -> str:
        """The whole text, in one line."""
        return " ".join(passage.text for passage in self.passages if passage.text)

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of all passages."""
        return tuple(word for passage in self.passages for word in passage.words)

    def to_json(self) -> str:
        """One line of JSON with id, audio, seconds, text, problem and passages, which have the fields of `Passage`."""
        passages = [
            {
                "start": round(passage.start, 3),
                "end": round(passage.end, 3),
                "text": passage.text,
                "score": passage.score,
                "words": [
                    {
                        "text": word.text,
                        "start": round(word.start, 3),
                        "end": round(word.end, 3),
                        "confidence": round(word.confidence, 4),
                    }
                    for word in passage.words
                ],
                "n_best": [{"text": candidate.text, "score": candidate.score} for candidate in passage.n_best],
                "cut": passage.cut,
            }
            for passage in self.passages
        ]
        return json_line(
            {
                "id": self.id,
                "audio": self.audio,
                "seconds": round(self.seconds, 3),
                "text": self.text,
                "problem": self.problem,
                "passages": passages,
            }
        )
