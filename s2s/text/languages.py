"""Language codes (BCP 47), as far as telling a pair of them apart."""

import re

from s2s.errors import UsageError

_CODE = r"[a-z]{2,3}(?:-(?:[A-Z][a-z]{3}|[A-Z]{2}|\d{3}))*"  # a language, then scripts and regions: zh-Hant-TW, es-419
_PAIR = re.compile(f"({_CODE})-({_CODE})")


def parse_language(text: str) -> str:
    """The code itself; UsageError for what is none."""
    if not re.fullmatch(_CODE, text):
        raise UsageError(f"{text!r} is no code of a language, such as en or zh-Hans (regions with capitals).")
    return text


def parse_languages(text: str) -> tuple[str, str]:
    """Source and target of `en-de`, `en-zh-Hans` or `pt-BR-en`; UsageError for what is no pair."""
    match = _PAIR.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--languages {text} is not of the form SOURCE-TARGET, such as en-de or en-zh-Hans (languages in small "
            "letters, scripts and regions with capitals)."
        )
    return match[1], match[2]
