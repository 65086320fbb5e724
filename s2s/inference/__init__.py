"""From a model directory to results: translations, transcripts, and scores of given ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2s.inference.transcriber import Transcriber
    from s2s.inference.translator import Translator

__all__ = ["load"]


def load(
    path: Path | str,
    *,
    device: str = "cpu",
    precision: str = "float32",
    threads: int | None = None,
    ensemble_with: Sequence[Path | str] = (),
) -> "Translator | Transcriber":
    """The model of a model directory, of a run (its best checkpoint) or of an exported folder, ready for use.

    With others it works as their ensemble. It is a `Translator` or a `Transcriber`; see there.
    """
    from s2s.inference.runtime import make_ready

    loaded = make_ready(path, device, precision, threads, ensemble_with)
    if loaded.info.kind == "text":
        from s2s.inference.translator import Translator

        return Translator(loaded)
    from s2s.inference.transcriber import Transcriber

    return Transcriber(loaded)
