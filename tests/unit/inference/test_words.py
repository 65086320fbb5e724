"""Words with their times, from CTC's log-probabilities."""

import torch

from s2s.inference.words import align_words, spread_words
from s2s.text.tokenizer import train_tokenizer

TOKENIZER = train_tokenizer(lambda: ["ab ba aa b a"] * 20, "characters", None, 100, spoken=True)


def certain(steps: list[int]) -> torch.Tensor:
    """Log-probabilities (S, V) that are sure of one label at each step."""
    probabilities = torch.full((len(steps), TOKENIZER.size), 0.01)
    probabilities[torch.arange(len(steps)), torch.tensor(steps)] = 0.9
    return probabilities.log()


def test_times_are_those_of_the_labels() -> None:
    tokens = TOKENIZER.encode("ab a")
    space, a, b = TOKENIZER.encode("ab")[0], *TOKENIZER.encode("ab")[1:]
    assert tokens == [space, a, b, space, a]
    words = align_words(certain([0, space, a, a, b, 0, space, a, 0, 0]), tokens, TOKENIZER, 5.0, 0.1)
    assert [word.text for word in words] == ["ab", "a"]
    assert [(round(word.start, 3), round(word.end, 3)) for word in words] == [(5.2, 5.5), (5.7, 5.8)]
    assert all(abs(word.confidence - 0.9) < 1e-5 for word in words)


def test_words_without_an_alignment_share_the_time_by_their_letters() -> None:
    words = spread_words("abc d", 1.0, 3.0)
    assert [(word.text, word.start, word.end, word.confidence) for word in words] == [
        ("abc", 1.0, 2.5, 0.0),
        ("d", 2.5, 3.0, 0.0),
    ]
    assert spread_words("", 1.0, 3.0) == ()


def test_there_are_no_times_where_the_labels_have_no_room() -> None:
    assert align_words(certain([0, 0]), TOKENIZER.encode("ab a"), TOKENIZER, 0.0, 0.1) == ()
    assert align_words(certain([0, 0]), [], TOKENIZER, 0.0, 0.1) == ()
