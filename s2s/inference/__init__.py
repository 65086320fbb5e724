"""From a model directory to results: translations, and scores of given ones."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2s.inference.translator import Translator

__all__ = ["load"]


def load(
    path: Path | str, *, device: str = "cpu", precision: str = "float32", threads: int | None = None
) -> "Translator":
    """The model of a model directory or a run (its best checkpoint), ready for use; see `Translator.load`."""
    from s2s.inference.translator import Translator

    return Translator.load(path, device=device, precision=precision, threads=threads)
