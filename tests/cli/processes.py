"""Processes that a test stops by a signal."""

import os


def unmeasured() -> dict[str, str]:
    """The environment without coverage's part: a signal within its measuring could leave a lock taken for ever."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
