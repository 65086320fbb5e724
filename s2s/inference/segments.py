"""Lines as the model reads them, and their order in batches."""

from collections.abc import Sequence
from dataclasses import dataclass

from s2s.data.batches import fill, round_up
from s2s.decoding import cut
from s2s.text.lines import clean
from s2s.text.placeholders import Masks
from s2s.text.tokenizers import Tokenizers


@dataclass(frozen=True)
class Segment:
    """A source as token ids that end with EOS, with what its placeholders stand for; without ids when it is blank.

    `cut` tells that it was too long and lost its end.
    """

    ids: list[int]
    masks: Masks
    cut: bool = False


def read_segment(line: str, tokenizers: Tokenizers, max_length: int) -> Segment:
    """The segment of a line, of at most `max_length` tokens and EOS; what looks like the end of a line is a space."""
    text = clean(line)
    if not text.strip():
        return Segment([], Masks())
    ids, masks = tokenizers.encode_source(text)
    kept = cut(ids, max_length)
    return Segment(kept, masks, len(kept) < len(ids))


def length_batches(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Positions in batches of like length under a budget, shortest first; positions of length 0 are left out."""
    order = [position for position in range(len(lengths)) if lengths[position]]
    order.sort(key=lambda position: lengths[position])
    return fill(order, [round_up(length) for length in lengths], batch_tokens)
