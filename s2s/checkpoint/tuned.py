"""Settings of the search that `s2s tune` found, in a file beside the model that they are the defaults of."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from s2s.checkpoint.record import RECORD, Printable, check_version, read_json
from s2s.config import DecodingConfig, Section, to_document
from s2s.errors import ModelError
from s2s.files import write_json
from s2s.log import warn

FILE = "decoding.json"


class Comparison(Section):
    """The best score with a language model of weight `lm_weight`, and the best without; p is of paired bootstrap."""

    lm_weight: float
    value: float
    without: float
    p_value: float
    signature: Printable


class TunedSearch(Section):
    """Settings with their score on the part `part` of prepared data, whose manifest has the SHA-256 `data`.

    `before` is the score of the settings that the model had. `lm` is the identity of the language model that took part,
    and `comparison` tells what it brought; None: no weight for it scored better than 0.
    """

    decoding: DecodingConfig
    metric: Printable
    value: float
    before: float
    signature: Printable
    part: Printable
    data: Printable
    lm: Printable | None = None
    comparison: Comparison | None = None

    @property
    def alone(self) -> "TunedSearch":
        """The same without a language model, which must have no weight."""
        assert not self.decoding.lm_weight
        decoding = self.decoding.model_copy(update={"lm_weight": None})
        return self.model_copy(update={"decoding": decoding, "lm": None, "comparison": None})


class Tuned(Section):
    """What was found for the model alone, and with each language model; `model` is the identity of that model."""

    format: Literal["s2s decoding"] = "s2s decoding"
    version: Literal[1] = 1
    model: Printable
    alone: TunedSearch | None = None
    with_lm: tuple[TunedSearch, ...] = ()

    def found_with(self, lm: str) -> TunedSearch | None:
        """What was found with the language model of an identity."""
        return next((found for found in self.with_lm if found.lm == lm), None)


def read_tuned(folder: Path) -> Tuned | None:
    """What the file in a folder holds, None where there is no file; ModelError when it is damaged."""
    path = folder / FILE
    if not path.is_file():
        return None
    document = read_json(path)
    check_version(path, document, "s2s decoding")
    try:
        return Tuned.model_validate(document)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
        raise ModelError(f"{path} cannot be used: {'; '.join(problems)}. Remove it.") from error


def tuned_for(folder: Path) -> Tuned:
    """What was found for the model in a folder; what was found for another is left out, which a warning tells."""
    kept = read_tuned(folder)
    own = Tuned(model=identity(folder))
    if kept is not None and kept.model != own.model:
        warn(
            f"{folder / FILE} was tuned for another model than is there now, and is not used: repeat `s2s tune`, or "
            "remove it."
        )
        return own
    return kept or own


def keep_tuned(folder: Path, found: TunedSearch) -> Path:
    """Write what was found alone, or with a language model, beside all else that was found for the model there.

    With a language model of weight 0 it was found alone, and holds without one, too.

    Returns the file. ModelError: the model is gone, as a checkpoint is that training has passed.
    """
    if not (folder / RECORD).is_file():
        raise ModelError(f"{folder} was removed while it was tuned. Tune when training has ended.")
    kept = read_tuned(folder)
    own = Tuned(model=identity(folder)) if kept is None or kept.model != identity(folder) else kept
    others = tuple(one for one in own.with_lm if one.lm != found.lm)
    changed: dict[str, object] = {"with_lm": (*others, found)} if found.lm else {}
    if not found.decoding.lm_weight:
        changed["alone"] = found.alone
    write_json(folder / FILE, to_document(own.model_copy(update=changed)))
    return folder / FILE


def hand_on(tuned: Tuned, before: Path, folder: Path) -> None:
    """Leave word in the best checkpoint of a run of what was tuned for the one that was best before.

    There it is never used, but told of, until tuning is repeated.
    """
    if (folder / FILE).exists():
        return
    write_json(folder / FILE, to_document(tuned))
    if before != folder and tuned.model == identity(before):  # else it was told when that one became the best
        warn(
            f"the best checkpoint is now {folder}, and the search was tuned for {before}: repeat `s2s tune` when "
            "training has ended."
        )


def identity(folder: Path) -> str:
    """The SHA-256 of the record of the model in a folder, which holds those of all its files."""
    return hashlib.sha256((folder / RECORD).read_bytes()).hexdigest()
