"""Characters or words as ids, where a recipe needs nothing more than that."""

from collections import Counter
from collections.abc import Iterable, Sequence

from s2s.text.vocabulary import EOS, SPECIAL, UNK


class Symbols:
    """A closed list of symbols after the special ones; what it lacks is UNK."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self.entries = [*SPECIAL, *symbols]
        self.ids = {symbol: number for number, symbol in enumerate(self.entries)}

    @classmethod
    def of(cls, texts: Iterable[Sequence[str]], least: int = 1) -> "Symbols":
        """The symbols that come at least so many times in texts, the most frequent first."""
        counts = Counter(symbol for text in texts for symbol in text)
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return cls(symbol for symbol, count in ranked if count >= least)

    def __len__(self) -> int:
        return len(self.entries)

    def encode(self, text: Sequence[str]) -> list[int]:
        """The ids of symbols."""
        return [self.ids.get(symbol, UNK) for symbol in text]

    def source(self, text: Sequence[str]) -> list[int]:
        """The same, with EOS at the end."""
        return [*self.encode(text), EOS]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The symbols of ids."""
        return [self.entries[number] for number in ids]
