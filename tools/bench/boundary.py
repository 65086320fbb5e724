"""How a command of this folder ends: with 0, or with one clear sentence and another code."""

import sys
from collections.abc import Callable, Sequence

from s2s.errors import S2SError


class BenchError(Exception):
    """What a measurement cannot do, and its cure, in whole sentences."""


def end(main: Callable[[Sequence[str]], None]) -> int:
    """Run a command on the arguments of this process; its exit code."""
    try:
        main(sys.argv[1:])
    except (BenchError, S2SError) as error:
        print(f"error: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    except KeyboardInterrupt:
        print("stopped; nothing was recorded", file=sys.stderr)
        return 130
    return 0
