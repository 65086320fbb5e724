"""Options of Python functions, of which those out of their range are told as on the command line."""

from s2s.errors import UsageError


def check_whole(name: str, value: object, least: int = 1, most: int | None = None) -> None:
    """UsageError unless an option is a whole number from `least` to `most`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least or (most is not None and value > most):
        allowed = f"of {least} or more" if most is None else f"from {least} to {most:,}"
        raise UsageError(f"{name} must be a whole number {allowed} (it is {value!r}).")


def check_texts(name: str, values: object) -> None:
    """UsageError unless an option is a list of texts."""
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        what = "one string" if isinstance(values, str) else repr(values)
        raise UsageError(f"{name} takes a list of texts, not {what}: write {name}=[text].")
