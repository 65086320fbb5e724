"""The process that learns a vocabulary does what SentencePiece does here, and never outlives or outwits its caller."""

import io
import shutil
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import sentencepiece

from s2s.text.learning import learn

TEXTS = [f"\thaus {number} baum\r \x00 {number * 7}\u2028 m² \x85 日本 garten\r" for number in range(200)]
OPTIONS: dict[str, Any] = {
    "vocab_size": 320,
    "byte_fallback": True,
    "hard_vocab_limit": False,
    "num_threads": 1,
    "minloglevel": 2,
}


def test_the_model_is_that_of_the_library() -> None:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(TEXTS), model_writer=model, **OPTIONS)
    assert learn(TEXTS, OPTIONS) == model.getvalue()


def test_what_the_library_refuses_is_an_error_with_its_reason() -> None:
    with pytest.raises(RuntimeError, match=r"smaller than required_chars\. 20 vs \d+"):
        learn(TEXTS, OPTIONS | {"vocab_size": 20, "hard_vocab_limit": True})


def test_a_process_that_ends_without_a_word_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    false = shutil.which("false")
    assert false is not None
    monkeypatch.setattr("sys.executable", false)
    with pytest.raises(RuntimeError, match="its process ended with exit code 1"):
        learn(("line " * 100 for _ in range(10_000)), OPTIONS)


def test_an_error_while_it_reads_ends_the_process() -> None:
    def texts() -> Iterator[str]:
        yield from TEXTS
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(texts(), OPTIONS)
    assert psutil.Process().children() == []
