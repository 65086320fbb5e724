"""What a translator and a transcriber have in common: a model, and perhaps a language model that takes part."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from s2s.checkpoint import LoadedLanguageModel
from s2s.config import DecodingConfig
from s2s.decoding import Decodable
from s2s.inference.fusion import language_model_for, own_decoding
from s2s.inference.runtime import Ready, make_ready


class Searching:
    """A model, or several as one, whose hypotheses are searched."""

    def __init__(self, loaded: Ready, lm: LoadedLanguageModel | None = None) -> None:
        self._loaded = loaded
        self._lm = lm
        self._model: Decodable[Any, Any, Any] = loaded.model

    @classmethod
    def load(
        cls,
        path: Path | str,
        *,
        device: str = "cpu",
        precision: str = "float32",
        threads: int | None = None,
        ensemble_with: Sequence[Path | str] = (),
        lm: Path | str | None = None,
    ) -> Self:
        """That of a model directory, a run or an exported folder; `threads` holds for the whole process.

        With others it is that of their ensemble, whose search is by default as the first would search. A language model
        `lm` takes part in the search. See `s2s.inference.runtime.make_ready` and `s2s.inference.fusion`.
        """
        loaded = make_ready(path, device, precision, threads, ensemble_with)
        return cls(loaded, None if lm is None else language_model_for(loaded, lm, device, precision))

    @property
    def decoding(self) -> DecodingConfig:
        """How it searches unless told otherwise."""
        return own_decoding(self._loaded, self._lm)

    @property
    def lm(self) -> Path | None:
        """The folder of the language model that takes part."""
        return None if self._lm is None else self._lm.folder
