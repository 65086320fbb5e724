"""Scores: exact values, signatures, and the refusal to score what does not belong together."""

import importlib.util

import pytest

from s2s.errors import DataError, UsageError
from s2s.evaluation.scores import ScoreOptions, bleu, score, score_systems, tokenizer_for

HYPOTHESIS = ["the cat sat on the mat"]
REFERENCE = ["the cat sat on a mat"]
FAST = ScoreOptions(samples=200)


def test_bleu_is_the_value_computed_by_hand() -> None:
    """5 of 6 words, 3 of 5 pairs, 2 of 4 triples and 1 of 3 quadruples match; both have the same length."""
    expected = 100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25
    assert bleu(HYPOTHESIS, [REFERENCE]).value == pytest.approx(expected, abs=1e-9)
    assert score(HYPOTHESIS, [REFERENCE], FAST)["bleu"].value == pytest.approx(expected, abs=1e-9)


def test_ter_is_the_value_computed_by_hand() -> None:
    """One substitution in six words."""
    assert score(HYPOTHESIS, [REFERENCE], FAST)["ter"].value == pytest.approx(100 / 6)


def test_each_score_carries_its_signature() -> None:
    """What was counted, how text was tokenized, and how often it was resampled."""
    scores = score(HYPOTHESIS, [REFERENCE, REFERENCE], FAST)
    assert list(scores) == ["bleu", "chrf", "ter"]
    assert scores["bleu"].signature.startswith(
        "nrefs:2|bs:200|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:"
    )
    assert all("nrefs:2|" in result.signature for result in scores.values())
    assert bleu(HYPOTHESIS, [REFERENCE]).signature.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")


def test_lowercase_disregards_case_and_says_so() -> None:
    """Cased by default."""
    upper = [REFERENCE[0].title()]
    cased, lowercased = (score(upper, [REFERENCE], ScoreOptions(lowercase=flag, samples=2)) for flag in (False, True))
    assert cased["bleu"].value < 10
    assert lowercased["bleu"].value == pytest.approx(100)
    assert lowercased["chrf"].value == pytest.approx(100)
    assert "case:lc" in lowercased["bleu"].signature


def test_the_best_of_several_references_counts() -> None:
    """A hypothesis that equals one of them is perfect."""
    other = ["something else that nobody would say"]
    assert bleu(HYPOTHESIS, [other, HYPOTHESIS]).value == pytest.approx(100)


@pytest.mark.parametrize(
    ("language", "tokenizer"),
    [("de", "13a"), (None, "13a"), ("txt", "13a"), ("zh-Hans", "zh"), ("zh_TW", "zh"), ("JA", "char"), ("ko", "char")],
)
def test_the_tokenizer_follows_the_target_language(language: str | None, tokenizer: str) -> None:
    """Words where there are spaces, characters where there are none."""
    assert tokenizer_for(language) == tokenizer


def test_characters_make_japanese_comparable() -> None:
    """Without spaces 13a sees one long word, which never matches."""
    hypothesis, reference = ["デバイスに接続できません"], ["デバイスに接続できませんでした"]
    assert bleu(hypothesis, [reference], ScoreOptions("13a")).value < 1
    scores = score(hypothesis, [reference], ScoreOptions("char", samples=2))
    assert scores["bleu"].value > 50
    assert scores["ter"].value < 50
    assert "tok:char" in scores["bleu"].signature
    assert "asian:yes" in scores["ter"].signature


def test_unequal_numbers_of_lines_are_refused() -> None:
    """The metric itself would drop the last lines in silence."""
    with pytest.raises(DataError, match=r"the hypotheses has 2, reference 1 has 3"):
        bleu(["a", "b"], [["a", "b", "c"]])
    with pytest.raises(DataError, match=r"reference 2 has 1"):
        score(["a", "b"], [["a", "b"], ["a"]])
    with pytest.raises(DataError, match="no lines"):
        score([], [[]])


def test_tokenizers_that_cannot_be_had_are_refused() -> None:
    """The unknown one with the list, the missing one with its package."""
    with pytest.raises(UsageError, match=r"'13b'.*13a, intl"):
        score(HYPOTHESIS, [REFERENCE], ScoreOptions("13b"))
    if importlib.util.find_spec("MeCab") is None:
        with pytest.raises(UsageError, match=r"sacrebleu\[ja\]"):
            score(HYPOTHESIS, [REFERENCE], ScoreOptions("ja-mecab"))


def test_systems_are_compared_with_the_first_by_paired_bootstrap() -> None:
    """A system that breaks half the segments is significantly worse; one that differs in a single one is not."""
    references = [f"segment number {number} says that all of it is well" for number in range(60)]
    good = [*references[:30], *(line.replace("says", "tells") for line in references[30:])]
    same = [good[0].replace("well", "fine"), *good[1:]]
    bad = [line if number % 2 else "nothing of it" for number, line in enumerate(good)]
    scores = score_systems({"good": good, "same": same, "bad": bad}, [references], ScoreOptions(samples=500))
    assert scores["good"]["bleu"].p_value is None
    bad_p, same_p = scores["bad"]["bleu"].p_value, scores["same"]["bleu"].p_value
    assert bad_p is not None
    assert same_p is not None
    assert bad_p < 0.01
    assert same_p > 0.1


def test_confidence_shrinks_with_more_segments_and_does_not_change_by_chance() -> None:
    """Resampling is seeded; four times the segments halve the interval, about."""
    references = [f"sentence {number} has a few words in it" for number in range(40)]
    hypotheses = [line if number % 3 else line.replace("few words", "number") for number, line in enumerate(references)]
    small = score(hypotheses, [references])["bleu"]
    large = score(hypotheses * 4, [references * 4])["bleu"]
    assert small == score(hypotheses, [references])["bleu"]
    assert small.confidence is not None
    assert large.confidence is not None
    assert large.confidence == pytest.approx(small.confidence / 2, rel=0.2)
