"""Whole numbers below a thousand in words."""

from collections.abc import Callable, Mapping


def _words(text: str) -> list[str]:
    return text.split()


ENGLISH = _words("zero one two three four five six seven eight nine ten eleven twelve") + _words(
    "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
ENGLISH_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
GERMAN = _words("null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf") + _words(
    "dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"
)
GERMAN_TENS = _words("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")


def english(number: int) -> str:
    """Such as "two hundred and forty-one"."""
    hundreds, rest = divmod(number, 100)
    if hundreds:
        head = f"{ENGLISH[hundreds]} hundred"
        return f"{head} and {english(rest)}" if rest else head
    tens, ones = divmod(rest, 10)
    if tens < 2:
        return ENGLISH[rest]
    return ENGLISH_TENS[tens - 2] + (f"-{ENGLISH[ones]}" if ones else "")


def german(number: int) -> str:
    """Such as "zweihunderteinundvierzig", whose ones come before its tens."""
    hundreds, rest = divmod(number, 100)
    if hundreds:
        return f"{_german_one(hundreds)}hundert{german(rest) if rest else ''}"
    tens, ones = divmod(rest, 10)
    if tens < 2:
        return GERMAN[rest]
    return (f"{_german_one(ones)}und" if ones else "") + GERMAN_TENS[tens - 2]


def _german_one(digit: int) -> str:
    """A digit before another word: one has no s there."""
    return "ein" if digit == 1 else GERMAN[digit]


SPELLINGS: Mapping[str, Callable[[int], str]] = {"en": english, "de": german}
