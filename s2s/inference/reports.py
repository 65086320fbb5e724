"""What inference tells the user about lines that were not taken as they are."""

from s2s.log import warn


def warn_of_repairs(count: int) -> None:
    """Say how many lines had bad UTF-8, if any did."""
    if count:
        warn(f"{_lines(count)} not valid UTF-8: bad bytes were read as U+FFFD.")


def warn_of_cuts(count: int, max_length: int) -> None:
    """Say how many lines lost their end, if any did."""
    if count:
        warn(f"{_lines(count)} longer than {max_length} tokens and lost the rest; see --max-length (max_length).")


def _lines(count: int) -> str:
    return "1 line was" if count == 1 else f"{count:,} lines were"
