"""Processes whose coverage is not measured."""

import os


def unmeasured() -> dict[str, str]:
    """The environment without coverage, of which a signal could leave a lock taken for ever.

    Also for long commands of which all runs measured elsewhere: it makes the start of a process half as long again.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
