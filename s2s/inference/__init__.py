"""From a model directory to results: translations, transcripts, and scores of given ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2s.inference.language import TextGenerator
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
    lm: Path | str | None = None,
) -> "Translator | Transcriber | TextGenerator":
    """The model of a model directory, of a run (its best checkpoint) or of an exported folder, ready for use.

    With others it works as their ensemble, and a language model `lm` takes part in its search. It is a `Translator`, a
    `Transcriber` or, of a language model, a `TextGenerator`; see there.

    The commands of s2s keep the memory that they free, which this does not decide for your program:
    `s2s.hardware.keep_memory` does, for a tenth less time on the CPU.
    """
    from s2s.checkpoint import read_info, resolve
    from s2s.errors import UsageError

    folder = resolve(Path(path))
    if read_info(folder).kind == "monolingual":
        from s2s.inference.language import TextGenerator

        if ensemble_with or lm is not None:
            raise UsageError(f"{folder} is a language model, which works alone: leave out ensemble_with and lm.")
        return TextGenerator.load(folder, device=device, precision=precision, threads=threads)
    from s2s.inference.transcriber import Transcriber
    from s2s.inference.translator import Translator

    kind = Translator if read_info(folder).kind == "text" else Transcriber
    return kind.load(folder, device=device, precision=precision, threads=threads, ensemble_with=ensemble_with, lm=lm)
