"""Lines as every tokenizer takes them and every program reads them; preparation and inference both come here."""

from s2s.errors import UsageError

LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_TO_SPACE = dict.fromkeys(map(ord, LINE_ENDS + "\0"), " ")


def one_line(text: str) -> str:
    """The text with every character that some program takes for the end of a line, and NUL, as a space."""
    return text.translate(_TO_SPACE)


def clean(line: str) -> str:
    """A line that every tokenizer takes: without ends of lines, NUL, and halves of characters.

    UsageError: it is no text.
    """
    if not isinstance(line, str):
        raise UsageError(f"A line must be a text (one is {line!r}): give a list of strings.")
    return one_line(line.encode("utf-8", "replace").decode("utf-8"))
