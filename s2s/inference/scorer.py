"""Log-probabilities of given translations, by the same reading of lines and the same model as the translator."""

from collections.abc import Iterable, Iterator, Sequence

from s2s.checkpoint import LoadedModel
from s2s.data.batches import collate, pair_cost
from s2s.decoding import score_batch
from s2s.inference.pairs import Pair
from s2s.inference.results import PairScore
from s2s.inference.runtime import tokenizers_of
from s2s.inference.segments import length_batches, read_segment
from s2s.text.lines import clean

Ids = tuple[list[int], list[int]]


def score_pairs(
    loaded: LoadedModel, windows: Iterable[Sequence[Pair]], max_length: int, batch_tokens: int
) -> Iterator[PairScore]:
    """The score of each pair, in order; source and target lose what is beyond `max_length` tokens.

    As a blank source is translated by an empty line for certain, its score is 0 with a blank target, and -inf with
    another one.
    """
    first = 1
    for window in windows:
        yield from _score_window(loaded, window, first, max_length, batch_tokens)
        first += len(window)


def _score_window(
    loaded: LoadedModel, window: Sequence[Pair], first: int, max_length: int, batch_tokens: int
) -> Iterator[PairScore]:
    read = [_read(pair, loaded, max_length) for pair in window]
    lengths = [pair_cost(len(ids[0]), len(ids[1])) if ids[0] else 0 for ids, _ in read]
    device = next(loaded.model.parameters()).device
    scores: dict[int, list[float]] = {}
    for chosen in length_batches(lengths, batch_tokens):
        batch = collate([read[n][0] for n in chosen], chosen).to(device)
        scores.update(zip(chosen, score_batch(loaded.model, batch), strict=True))
    for n, ((source, target), (ids, cut)) in enumerate(zip(window, read, strict=True)):
        if ids[0]:
            pieces = (*loaded.codec.target.pieces(ids[1]), "</s>")
            yield PairScore(first + n, source, target, sum(scores[n]), pieces, tuple(scores[n]), cut)
        else:
            certain = float("-inf") if target.strip() else 0.0
            yield PairScore(first + n, source, target, certain, (), (), cut)


def _read(pair: Pair, loaded: LoadedModel, max_length: int) -> tuple[Ids, bool]:
    """The ids of source and target, and whether one of them was cut."""
    tokenizers = tokenizers_of(loaded)
    segment = read_segment(pair[0], tokenizers, max_length)
    target = tokenizers.encode_target(clean(pair[1]), segment.masks) if clean(pair[1]).strip() else []
    return (segment.ids, target[:max_length]), segment.cut or len(target) > max_length
