"""Subword regularisation: each time a segment is read, it is cut into other subwords (Kudo 2018, arXiv:1804.10959)."""

import math
import random
from bisect import bisect
from itertools import accumulate

from s2s.errors import ConfigError
from s2s.text.tokenizer import SentencePieceTokenizer

CACHED_WORDS = 50_000
SPACE = "\u2581"
"""What SentencePiece writes for a space; words begin with it."""

Arc = tuple[int, tuple[int, ...]]
"""A subword that ends at some position of a word: where it starts, and its ids (several when it is spelt in bytes)."""

Lattice = list[tuple[list[Arc], list[float]]]
"""For each end position, the subwords that may end there, and the cumulated probabilities of choosing them."""


class SubwordSampler:
    """Draws segmentations with probability in proportion to P(segmentation) ** alpha, among all that there are.

    Subwords never cross a space, so the unigram model's probability of a segment is the product over its words. The
    lattice of a word is filtered forward once and kept; each draw walks it backward.
    """

    def __init__(self, tokenizer: SentencePieceTokenizer, alpha: float) -> None:
        if not tokenizer.is_unigram:
            raise ConfigError(
                "regularisation.subword_sampling needs unigram subwords, but the data has other units. Set it to 0, or "
                "prepare the data again with --units unigram."
            )
        self._alpha = alpha
        self._subwords, self._bytes = _inventory(tokenizer)
        self._longest = max(map(len, self._subwords))
        self._lattices: dict[str, Lattice] = {}

    def sample(self, text: str, draw: random.Random) -> list[int]:
        """The ids of one segmentation of a text, without BOS and EOS."""
        ids: list[int] = []
        for word in text.split(" "):
            if word:
                ids += self._sample_word(word, draw)
        return ids

    def _sample_word(self, word: str, draw: random.Random) -> list[int]:
        lattice = self._lattices.get(word) or self._keep(word)
        chosen = []
        position = len(lattice) - 1
        while position:
            arcs, cumulated = lattice[position]
            number = bisect(cumulated, draw.random(), hi=len(arcs) - 1) if len(arcs) > 1 else 0
            position, ids = arcs[number]
            chosen.append(ids)
        return [subword for ids in reversed(chosen) for subword in ids]

    def _keep(self, word: str) -> Lattice:
        if len(self._lattices) >= CACHED_WORDS:
            self._lattices.clear()
        lattice = self._lattices[word] = self._lattice(SPACE + word)
        return lattice

    def _lattice(self, word: str) -> Lattice:
        """Forward filtering: the weight of a position sums those of all segmentations of the word up to it.

        An unknown character is in no subword, hence in all segmentations alike: its probability makes no difference.
        """
        lattice: Lattice = [([], [])]
        log_weights = [0.0]
        for end in range(1, len(word) + 1):
            arcs: list[Arc] = []
            logs = []
            for start in range(max(0, end - self._longest), end):
                known = self._subwords.get(word[start:end])
                if known is not None:
                    arcs.append((start, (known[0],)))
                    logs.append(log_weights[start] + self._alpha * known[1])
            if word[end - 1] not in self._subwords:
                arcs.append((end - 1, tuple(self._bytes[byte] for byte in word[end - 1].encode())))
                logs.append(log_weights[end - 1])
            highest = max(logs)
            cumulated = list(accumulate(math.exp(log - highest) for log in logs))
            log_weights.append(highest + math.log(cumulated[-1]))
            lattice.append((arcs, [value / cumulated[-1] for value in cumulated]))
        return lattice


def _inventory(tokenizer: SentencePieceTokenizer) -> tuple[dict[str, tuple[int, float]], list[int]]:
    """Id and log-probability of each subword, and the ids of the 256 bytes."""
    processor = tokenizer.processor
    subwords = {}
    for number in range(tokenizer.size):
        if not (processor.is_control(number) or processor.is_unknown(number) or processor.is_byte(number)):
            subwords[processor.id_to_piece(number)] = number, processor.get_score(number)
    return subwords, [processor.piece_to_id(f"<0x{byte:02X}>") for byte in range(256)]
