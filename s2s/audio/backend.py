"""torchaudio, also where its compiled extension cannot be loaded; everything else gets it from here."""

import sys
from collections.abc import Callable
from functools import cache
from types import ModuleType

EXTENSION = "torchaudio._extension"


@cache
def torchaudio() -> ModuleType:
    """The package torchaudio, of which s2s uses only what is written in Python.

    On Linux the wheel from PyPI is built for CUDA. Beside a CPU-only torch its compiled extension raises OSError, and
    with it the whole import. Nothing here needs the extension, so a second import finds a stand-in that says that it
    is not there. ImportError: torchaudio is not installed.
    """
    try:
        import torchaudio as package
    except OSError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules[EXTENSION] = _stand_in()
        import torchaudio as package
    module: ModuleType = package
    return module


def _stand_in() -> ModuleType:
    """What torchaudio asks its extension module for, all of it absent."""
    module = ModuleType(EXTENSION)
    absent = {"_IS_TORCHAUDIO_EXT_AVAILABLE": False, "_IS_ALIGN_AVAILABLE": False, "fail_if_no_align": _unchanged}
    vars(module).update(absent)
    return module


def _unchanged(function: Callable[..., object]) -> Callable[..., object]:
    """A decorator that changes nothing."""
    return function
