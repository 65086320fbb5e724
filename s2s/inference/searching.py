"""What a translator and a transcriber have in common: a model, and perhaps a language model that takes part."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from s2s.checkpoint import Loaded, LoadedLanguageModel
from s2s.config import DecodingConfig
from s2s.decoding import Decodable
from s2s.inference.ensemble import members_of
from s2s.inference.fusion import language_model_for, own_decoding
from s2s.inference.runtime import Ready, make_ready
from s2s.log import warn


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

        With others it is that of their ensemble, whose search is by default as the first would search, tuned or not; a
        warning tells when others were tuned otherwise. A language model `lm` takes part in the search. See
        `s2s.inference.runtime.make_ready` and `s2s.inference.fusion`.
        """
        loaded = make_ready(path, device, precision, threads, ensemble_with)
        model = None if lm is None else language_model_for(loaded, lm, device, precision)
        _warn_of_unlike_settings(members_of(loaded), model)
        return cls(loaded, model)

    @property
    def decoding(self) -> DecodingConfig:
        """How it searches unless told otherwise."""
        return own_decoding(members_of(self._loaded)[0], self._lm)

    @property
    def decoding_alone(self) -> DecodingConfig:
        """How it would search without the language model."""
        return own_decoding(members_of(self._loaded)[0], None)

    @property
    def lm(self) -> Path | None:
        """The folder of the language model that takes part."""
        return None if self._lm is None else self._lm.folder


def _warn_of_unlike_settings(members: Sequence[Loaded], lm: LoadedLanguageModel | None) -> None:
    """Tell what was tuned for the members of an ensemble and differs, as only that of the first counts."""
    if len(members) == 1:
        return
    own = [own_decoding(member, lm) for member in members]
    if all(settings == member.info.decoding for settings, member in zip(own, members, strict=True)):
        return
    names = ("beam_size", "length_penalty", "ctc_weight", "lm_weight")
    values = {name: [getattr(settings, name) for settings in own] for name in names}
    unlike = [f"{name} {', '.join(map(str, found))}" for name, found in values.items() if len({*found}) > 1]
    if unlike:
        warn(
            f"the models of the ensemble were not tuned to the same search ({'; '.join(unlike)}): where no option "
            f"decides, that of {members[0].folder} holds for all."
        )
