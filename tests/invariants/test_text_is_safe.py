"""Whatever a text holds, it goes into ids and comes back as it was; nothing in it can pass for a mask or a unit."""

import random
import re
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from s2s.text.placeholders import SYMBOLS, mask_source, restore
from s2s.text.tokenizer import Units, train_tokenizer
from s2s.text.tokenizers import Tokenizers

KINDS: list[Units] = ["unigram", "bpe", "characters"]
AWKWARD = [
    *(
        "a",
        "Haus",
        "straße",
        " ",
        "  ",
        "m²",
        "\t",
        "\r",
        "\0",
        "\x85",
        "\u00a0",
        "\u2028",
        "\ufeff",
        "\ufffd",
        "日本",
        "👩‍🚀",
    ),
    *(
        "{",
        "}",
        "{}",
        "{name}",
        "{{x}}",
        f"{{{SYMBOLS[0]}}}",
        "<",
        ">",
        "<b>",
        "</b>",
        '<a href="{x}">',
        "%",
        "%s",
        "%1$d",
        "%(n)s",
        "%%",
    ),
    *("<s>", "</s>", "<pad>", "<unk>", "<0x41>", "\u2581", SYMBOLS[0], SYMBOLS[1], SYMBOLS[-1], "\ue010", "\uf8ff"),
]
ANY_TEXT = st.lists(
    st.sampled_from(AWKWARD) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=6),
    max_size=16,
).map("".join)


@cache
def tokenizers(units: Units) -> Tokenizers:
    """Joint units of a few words in German and English."""
    lines = [
        f"Haus {number} und straße {number * 7} " + "the house and the street" * (number % 2) for number in range(99)
    ]
    joint = train_tokenizer(lambda: lines, units, None, 400)
    return Tokenizers(joint, joint, ("de", "en"))


def spaced(text: str) -> str:
    """Spaces as the tokenizers keep them: one between words, none at the ends; what is masked keeps its own."""
    masked, masks = mask_source(text)
    return restore(single(masked), masks)


def single(text: str) -> str:
    """The words of a text with one space between two."""
    return " ".join(word for word in text.split(" ") if word)


def bare(text: str) -> str:
    """The text without the characters that masks are made of."""
    return single(re.sub(f"[{SYMBOLS[0]}-{SYMBOLS[-1]}]", "", text).replace("\u2581", " "))


@pytest.mark.parametrize("units", KINDS)
@given(text=ANY_TEXT)
@example(text="  a  {  }  <b  > ")
def test_a_text_that_is_its_own_translation_comes_back(units: Units, text: str) -> None:
    both = tokenizers(units)
    ids, masks = both.encode_source(text)
    assert len(masks.originals) <= len(SYMBOLS)
    assert both.decode_target(both.encode_target(text, masks), masks) == spaced(text)
    assert max(ids) < both.source.size
    assert min(both.encode_target(text, masks), default=9) > 3


@given(source=ANY_TEXT, target=ANY_TEXT)
def test_a_target_never_takes_what_is_not_its_own_from_the_source(source: str, target: str) -> None:
    both = tokenizers("unigram")
    _, masks = both.encode_source(source)
    assert bare(both.decode_target(both.encode_target(target, masks), masks)) == bare(target)


def test_what_looks_like_a_mask_within_a_placeholder_is_none() -> None:
    both = tokenizers("unigram")
    _, masks = both.encode_source("{name} Haus")
    assert both.decode_target(both.encode_target(f"the {{{SYMBOLS[0]}}}", masks), masks) == "the {}"


@pytest.mark.parametrize("alpha", [0.1, 1.0])
@given(text=ANY_TEXT, seed=st.integers(0, 9))
@example(text="  a  {  }  <b  > ", seed=0)
def test_sampled_subwords_are_the_same_text(alpha: float, text: str, seed: int) -> None:
    both = tokenizers("unigram")
    _, masks = both.encode_source(text)
    source, target = both.sampler(alpha)(text, text, random.Random(seed))
    assert both.decode_target(source[:-1], masks) == both.decode_target(target, masks) == spaced(text)
