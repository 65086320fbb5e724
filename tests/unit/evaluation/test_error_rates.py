"""Error rates: values by hand and by brute force, signatures, intervals, comparisons, and what is refused."""

from importlib.metadata import version
from typing import Any

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s.errors import DataError, UsageError
from s2s.evaluation.error_rates import ErrorRateOptions, compare_systems, error_rates, wer_and_cer

REFERENCES = ["the cat sat", "on the mat", "yes", "no no"]
HYPOTHESES = ["the cat sat down", "on a mat", "yes", "no"]
TEXTS = st.lists(st.sampled_from(["a", "b", "c d"]), max_size=5).map(" ".join)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5).filter(lambda pairs: any(pair[1] for pair in pairs))


def test_rates_by_hand() -> None:
    """One insertion, one substitution and one deletion in nine words; three segments of four are wrong."""
    rates = error_rates(HYPOTHESES, REFERENCES)
    assert list(rates) == ["wer", "cer", "ser"]
    wer, cer, ser = rates.values()
    assert (wer.metric, wer.substitutions, wer.deletions, wer.insertions) == ("WER", 1, 1, 1)
    assert (wer.errors, wer.reference_length, wer.value) == (3, 9, pytest.approx(100 / 3))
    assert (cer.metric, cer.substitutions, cer.deletions, cer.insertions) == ("CER", 1, 2 + 3, 5)
    assert (cer.reference_length, cer.value) == (29, pytest.approx(100 * 11 / 29))
    assert (ser.metric, ser.errors, ser.reference_length, ser.value) == ("SER", 3, 4, 75)


def test_signatures_say_what_was_done() -> None:
    """Normaliser, level, bootstrap and the version of jiwer."""
    wer, cer, ser = error_rates(HYPOTHESES, REFERENCES, ErrorRateOptions("words", 200)).values()
    after = f"resampled:segments|bs:200|seed:12345|jiwer:{version('jiwer')}"
    assert wer.signature == f"wer|normaliser:words|level:words|{after}"
    assert cer.signature == f"cer|normaliser:words|level:characters|spaces:counted|{after}"
    assert ser.signature == f"ser|normaliser:words|level:segments|{after}"


def test_validation_gets_the_same_values_without_intervals() -> None:
    """And signatures that name no bootstrap."""
    wer, cer = wer_and_cer(HYPOTHESES, REFERENCES, ErrorRateOptions("lower"))
    full = error_rates(HYPOTHESES, REFERENCES, ErrorRateOptions("lower"))
    assert (wer.value, cer.value) == (full["wer"].value, full["cer"].value)
    assert (wer.lower, wer.upper, wer.p_value) == (None, None, None)
    assert wer.signature == f"wer|normaliser:lower|level:words|jiwer:{version('jiwer')}"
    assert cer.signature == f"cer|normaliser:lower|level:characters|spaces:counted|jiwer:{version('jiwer')}"


@given(PAIRS)
def test_the_values_are_those_of_jiwer(pairs: list[tuple[str, str]]) -> None:
    """Over any test set with a word in its references, in which some are empty."""
    hypotheses, references = map(list, zip(*pairs, strict=True))
    wer, cer = wer_and_cer(hypotheses, references)
    assert wer.value == pytest.approx(100 * jiwer.wer(references, hypotheses))
    assert cer.value == pytest.approx(100 * jiwer.cer(references, hypotheses))
    right = wer.reference_length - wer.substitutions - wer.deletions
    assert 0 <= right == sum(len(text.split()) for text in hypotheses) - wer.substitutions - wer.insertions


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_equal_texts_have_no_errors(texts: list[str]) -> None:
    """Even if they are all empty."""
    for rate in error_rates(texts, texts, ErrorRateOptions(samples=100)).values():
        assert (rate.value, rate.errors) == (0, 0)
        assert (rate.lower, rate.upper) == ((0, 0) if len(texts) > 1 else (None, None))


def test_an_empty_reference_counts_insertions_only() -> None:
    """Two of them beside a reference of four words; the segment is wrong."""
    wer, cer, ser = error_rates(["uh well", "a b c d", ""], ["", "a b c d", ""]).values()
    assert (wer.insertions, wer.reference_length, wer.value) == (2, 4, 50)
    assert (cer.insertions, cer.reference_length, cer.value) == (7, 7, 100)
    assert ser.value == pytest.approx(100 / 3)


def test_empty_references_alone_have_no_rate_unless_nothing_was_inserted() -> None:
    """Punctuation is nothing to the normaliser `words`."""
    with pytest.raises(DataError, match=r"bad: .* words were recognised \(3\).*normaliser: words.* Nothing was scored"):
        compare_systems({"good": ["", ""], "bad": ["a b", "c"]}, ["...", ""], ErrorRateOptions("words"))
    good = compare_systems({"one": ["!", ""], "two": ["", ""]}, ["...", ""], ErrorRateOptions("words"))
    assert [(rate.value, rate.lower, rate.upper, rate.p_value) for rate in good["two"].values()] == [(0, 0, 0, 1)] * 3


def test_intervals_by_enumeration() -> None:
    """Of two segments, one all wrong: none, half or all of the words drawn are wrong, at least a quarter of times."""
    wer, cer, ser = error_rates(["a b", "x y"], ["a b", "c d"]).values()
    assert [(rate.lower, rate.upper) for rate in (wer, ser)] == [(0, 100)] * 2
    assert (cer.lower, cer.upper) == (0, pytest.approx(200 / 3))


def test_draws_without_a_reference_word_are_left_out() -> None:
    """Of a segment with three words and one without: the second alone would have no rate."""
    wer = error_rates(["a b c", "x"], ["a b c", ""])["wer"]
    assert (wer.lower, wer.upper) == (0, pytest.approx(100 / 3))


def test_whole_speakers_are_drawn() -> None:
    """Where all errors are of one speaker of two, the rate of a draw is 0, 50 or 100, and the signature says so."""
    references, hypotheses = ["a"] * 100, ["a"] * 50 + ["b"] * 50
    speakers = ["anna"] * 50 + ["bob"] * 50
    by_speaker = error_rates(hypotheses, references, speakers=speakers)["wer"]
    by_segment = error_rates(hypotheses, references)["wer"]
    assert (by_speaker.lower, by_speaker.upper) == (0, 100)
    assert by_speaker.value == by_segment.value == 50
    assert 38 < (by_segment.lower or 0) < 42
    assert 58 < (by_segment.upper or 0) < 62
    assert "|resampled:speakers|" in by_speaker.signature
    assert "|resampled:segments|" in by_segment.signature


def test_all_segments_of_a_speaker_are_drawn_together() -> None:
    """Anna has one error in five words, Bob one in two: the rates of a draw are 20, 2 of 7, and 50 percent."""
    wer = error_rates(["a", "b", "c c c d", "x"], ["a", "a", "c c c c", "x"], speakers=["b", "b", "a", "a"])["wer"]
    assert (wer.lower, wer.upper, wer.value) == (20, 50, pytest.approx(200 / 7))


def test_a_p_value_by_enumeration() -> None:
    """Of two segments the first is worse: the draws differ by 0, 25 and 50, as often as 1, 2 and 1."""
    wer = compare_systems({"first": ["a a", "a b"], "second": ["a b", "a b"]}, ["a a", "a a"])["second"]["wer"]
    assert wer.value == 50
    assert wer.p_value == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("speakers", [["anna", None, "bob", "bob"], ["anna", "", "bob", "bob"], ["anna"] * 4])
def test_segments_are_drawn_unless_there_are_several_speakers_of_all(speakers: list[str | None]) -> None:
    """A speaker may be missing, or the only one."""
    rates = error_rates(HYPOTHESES, REFERENCES, speakers=speakers)
    assert rates == error_rates(HYPOTHESES, REFERENCES)


def test_a_single_segment_has_no_interval_and_no_p_value() -> None:
    """Its draws would all be the same and any difference would seem certain."""
    rates = compare_systems({"one": ["a b"], "two": ["a c"]}, ["a b"])
    assert (rates["two"]["wer"].value, rates["two"]["wer"].lower, rates["two"]["wer"].p_value) == (50, None, None)
    assert "bs:" not in rates["two"]["wer"].signature


def test_systems_are_compared_with_the_first() -> None:
    """A worse one differs, one with the same errors elsewhere does not, an equal one not at all."""
    references = [f"word {number} of the list" for number in range(60)]
    good = [line.replace("list", "lists") if number % 6 == 0 else line for number, line in enumerate(references)]
    systems: dict[str, Any] = {
        "first": good,
        "same": list(good),
        "elsewhere": [line.replace("word", "ward") if i % 6 == 3 else line for i, line in enumerate(references)],
        "worse": [line.replace("of the", "off a") for line in good],
    }
    rates = compare_systems(systems, references)
    assert rates["first"]["wer"].p_value is None
    assert [rate.p_value for rate in rates["same"].values()] == [1, 1, 1]
    assert (rates["elsewhere"]["wer"].p_value or 0) > 0.5
    assert [rate.p_value for rate in rates["worse"].values()] == [pytest.approx(1 / 1001)] * 3
    assert rates["worse"]["wer"].value == pytest.approx(100 * 130 / 300)
    for name, lines in systems.items():
        alone = error_rates(lines, references)["wer"]
        assert (rates[name]["wer"].lower, rates[name]["wer"].upper) == (alone.lower, alone.upper)


def test_what_does_not_belong_together_is_refused() -> None:
    """Unequal or zero numbers of segments, speakers of others, unknown normalisers."""
    with pytest.raises(DataError, match="the hypotheses has 1, the references has 2"):
        wer_and_cer(["a"], ["a", "b"])
    with pytest.raises(DataError, match="no lines in the hypotheses and the references"):
        error_rates([], [])
    with pytest.raises(DataError, match="the speakers has 1, the references has 2"):
        error_rates(["a", "b"], ["a", "b"], speakers=["anna"])
    with pytest.raises(UsageError, match="'upper'"):
        wer_and_cer(["a"], ["a"], ErrorRateOptions("upper"))
    with pytest.raises(AssertionError):
        ErrorRateOptions(samples=10)
