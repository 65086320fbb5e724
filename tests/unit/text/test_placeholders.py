"""Placeholders and markup become symbols and come back; text that looks like a symbol is safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s.text.placeholders import COUNT, SYMBOLS, Masks, mask_source, mask_target, placeholders, restore

A, B, C = SYMBOLS[:3]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello {name}", ["{name}"]),
        ("{{ user.name }}: {0}", ["{{ user.name }}", "{0}"]),
        ("<b>bold</b><br/>", ["<b>", "</b>", "<br/>"]),
        ('<a href="https://x.org/?q=1">here</a>', ['<a href="https://x.org/?q=1">', "</a>"]),
        ("%s of %(total)d, %1$s", ["%s", "%(total)d", "%1$s"]),
        ("3 < 4 and 5 > 4, 100 % sure", []),
        ("a {b", []),
        (f"literal {B}", [B]),
    ],
)
def test_placeholders_and_markup_are_found(text: str, found: list[str]) -> None:
    assert placeholders(text) == found


def test_a_segment_becomes_symbols_in_the_order_of_the_source() -> None:
    masked, masks = mask_source("Hello {name}, <b>welcome</b> {name}")
    assert masked == f"Hello {A}, {B}welcome{C} {A}"
    assert masks == Masks(("{name}", "<b>", "</b>"))
    assert mask_target("<b>Willkommen</b>, {name}!", masks) == f"{B}Willkommen{C}, {A}!"
    assert restore(f"{B}Willkommen{C}, {A}!", masks) == "<b>Willkommen</b>, {name}!"


def test_a_placeholder_that_only_the_target_has_stays_text() -> None:
    _, masks = mask_source("Hello {name}")
    assert mask_target("Hallo {nombre}", masks) == "Hallo {nombre}"


def test_a_symbol_that_stands_for_nothing_is_left_out_of_the_output() -> None:
    assert restore(f"a{B}b", Masks(("{x}",))) == "ab"


def test_literal_symbols_in_the_source_are_no_masks() -> None:
    masked, masks = mask_source(f"icon {C} of {{name}}")
    assert masked == f"icon {A} of {B}"
    assert restore(masked, masks) == f"icon {C} of {{name}}"
    assert mask_target(f"{B} Symbol", masks) == " Symbol"  # else it would teach {name}


def test_the_character_that_subwords_take_for_a_space_is_masked() -> None:
    masked, masks = mask_source("a\u2581b c")
    assert masked == f"a{A}b c"
    assert restore(masked, masks) == "a\u2581b c"


def test_what_is_beyond_the_symbols_stays_text() -> None:
    text = " ".join(f"{{{number}}}" for number in range(COUNT + 1))
    masked, masks = mask_source(text)
    assert masked == f"{' '.join(SYMBOLS)} {{{COUNT}}}"
    assert restore(masked, masks) == text


@given(
    st.lists(st.sampled_from(["{a}", "{b}", "<i>", "</i>", *SYMBOLS[:4], "%s", "x", " ", "{", "}", "ü"]), max_size=14)
)
def test_masking_and_restoring_gives_the_text_back(parts: list[str]) -> None:
    text = "".join(parts)
    masked, masks = mask_source(text)
    assert restore(masked, masks) == text
