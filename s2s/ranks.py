"""Which of the processes that work on one job this is, as `torchrun` and `--processes` say in the environment."""

import os


def rank() -> int:
    """The number of this process among them, from 0; 0 where there is but one."""
    return _number("RANK", 0) if count() > 1 else 0


def count() -> int:
    """How many processes work on the job, on all machines."""
    return _number("WORLD_SIZE", 1)


def local_rank() -> int:
    """The number of this process among those of its machine, from 0."""
    return _number("LOCAL_RANK", 0) if count() > 1 else 0


def local_count() -> int:
    """How many processes of the job run on this machine."""
    return _number("LOCAL_WORLD_SIZE", 1) if count() > 1 else 1


def restarts() -> int:
    """How many times `torchrun` has started these processes anew."""
    return _number("TORCHELASTIC_RESTART_COUNT", 0)


def _number(name: str, default: int) -> int:
    """A variable of the environment; what is no number was set for another purpose."""
    text = os.environ.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else default
