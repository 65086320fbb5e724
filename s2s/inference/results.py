"""What inference gives back for one segment, and the JSON that it is written as."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ESCAPED = {ord(mark): f"\\u{ord(mark):04x}" for mark in "\x85\u2028\u2029"}


@dataclass(frozen=True)
class Candidate:
    """One of the n best translations of a segment, with its length-normalised score."""

    text: str
    score: float


@dataclass(frozen=True)
class Tokens:
    """The pieces that the model read and wrote."""

    source: tuple[str, ...]
    target: tuple[str, ...]


@dataclass(frozen=True)
class Translation:
    """One segment and its best translation.

    `id` counts the segments from 1. `score` is the length-normalised log-probability by which hypotheses are ranked
    (0 for an empty segment, whose translation is certain). `alignment` gives, for each target token, the position of
    the source token (EOS is the last) that it paid most attention to. `cut` tells that the source was too long and lost
    its end.
    """

    id: int
    source: str
    text: str
    score: float
    tokens: Tokens
    alignment: tuple[int, ...]
    n_best: tuple[Candidate, ...]
    cut: bool = False

    def to_json(self) -> str:
        """One line of JSON with the keys id, source, text, score, tokens, alignment, n_best."""
        return json_line(
            {
                "id": self.id,
                "source": self.source,
                "text": self.text,
                "score": self.score,
                "tokens": {"source": self.tokens.source, "target": self.tokens.target},
                "alignment": self.alignment,
                "n_best": [{"text": candidate.text, "score": candidate.score} for candidate in self.n_best],
            }
        )


@dataclass(frozen=True)
class PairScore:
    """The log-probability of a target given its source, in total and for each target token (the last is the end)."""

    id: int
    source: str
    target: str
    log_prob: float
    tokens: tuple[str, ...]
    token_log_probs: tuple[float, ...]
    cut: bool = False

    def to_json(self) -> str:
        """One line of JSON with the keys id, source, target, log_prob, tokens, token_log_probs."""
        return json_line(
            {
                "id": self.id,
                "source": self.source,
                "target": self.target,
                "log_prob": self.log_prob,
                "tokens": self.tokens,
                "token_log_probs": self.token_log_probs,
            }
        )


@dataclass(frozen=True)
class LineScore:
    """The log-probability of a line, in total and for each of its tokens, of which the last is the end."""

    id: int
    text: str
    log_prob: float
    tokens: tuple[str, ...]
    token_log_probs: tuple[float, ...]
    cut: bool = False

    def to_json(self) -> str:
        """One line of JSON with the keys id, text, log_prob, tokens, token_log_probs."""
        return json_line({name: value for name, value in vars(self).items() if name != "cut"})


@dataclass(frozen=True)
class Sample:
    """A line that a language model wrote.

    `text` begins with the prompt; `log_prob` is that of what was written after it, in total, and `token_log_probs`
    tells it for each of `tokens`, of which the last is the end if the line is `finished`. They tell all that was
    written, also what stood behind the text at which it was to stop.
    """

    id: int
    text: str
    log_prob: float
    tokens: tuple[str, ...]
    token_log_probs: tuple[float, ...]
    finished: bool
    cut: bool = False

    def to_json(self) -> str:
        """One line of JSON with the keys id, text, log_prob, tokens, token_log_probs, finished."""
        return json_line({name: value for name, value in vars(self).items() if name != "cut"})


def json_line(document: Mapping[str, object]) -> str:
    """JSON in which nothing looks like the end of a line, and non-ASCII text stays legible.

    It has no numbers beside the finite ones: infinities, such as the logarithm of 0, and NaN become null.
    """
    return json.dumps(_finite(document), ensure_ascii=False, allow_nan=False).translate(_ESCAPED)


def _finite(value: Any) -> Any:
    """The value with None for each number in it that is not finite."""
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
