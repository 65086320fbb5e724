"""Subword regularisation: each time a segment is read, it is cut into other subwords (Kudo 2018, arXiv:1804.10959)."""

import math
import random
from itertools import accumulate

from s2s.errors import ConfigError
from s2s.text.tokenizer import SentencePieceTokenizer

BEST = 64
"""Segmentations of a word that are drawn from."""

CACHED_WORDS = 500_000


class SubwordSampler:
    """Draws segmentations with probability in proportion to P(segmentation) ** alpha.

    Subwords never cross a space, so the unigram model's probability of a segment is the product over its words, and
    each word can be drawn by itself from a list that is made once.
    """

    def __init__(self, tokenizer: SentencePieceTokenizer, alpha: float) -> None:
        if not tokenizer.is_unigram:
            raise ConfigError(
                "regularisation.subword_sampling needs unigram subwords, but the data has other units. Set it to 0, or "
                "prepare the data again with --units unigram."
            )
        self._processor = tokenizer.processor
        self._alpha = alpha
        self._words: dict[str, tuple[list[list[int]], list[float]]] = {}

    def sample(self, text: str, draw: random.Random) -> list[int]:
        """The ids of one segmentation of a text, without BOS and EOS."""
        ids: list[int] = []
        for word in text.split(" "):
            if not word:
                continue
            segmentations, cumulated = self._segmentations(word)
            ids += (
                segmentations[0] if len(segmentations) == 1 else draw.choices(segmentations, cum_weights=cumulated)[0]
            )
        return ids

    def _segmentations(self, word: str) -> tuple[list[list[int]], list[float]]:
        """The best segmentations of a word and their cumulated weights."""
        known = self._words.get(word)
        if known is not None:
            return known
        candidates: list[list[int]] = self._processor.nbest_encode(word, nbest_size=BEST)
        scores = [sum(self._processor.get_score(unit) for unit in ids) for ids in candidates]
        best = max(scores)
        entry = candidates, list(accumulate(math.exp(self._alpha * (score - best)) for score in scores))
        if len(self._words) >= CACHED_WORDS:
            self._words.clear()
        self._words[word] = entry
        return entry
