"""The checkpoints of a run: folders `checkpoints/<update>/` that never change, and small files that name best and last.

A checkpoint is written as a whole under a temporary name, renamed, and only then named by `best.json` and `last.json`,
so that a kill at any moment leaves a run that can be used and resumed.
"""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from torch import Tensor

from s2s.checkpoint.record import RECORD, read_info, read_json, verify
from s2s.checkpoint.training_state import load_training_state
from s2s.checkpoint.tuned import Tuned, hand_on, read_tuned
from s2s.errors import ModelError
from s2s.files import committed_folder, write_json
from s2s.log import warn

FOLDER = "checkpoints"
SCORE = "score.json"
LEFT_BEHIND = re.compile(r"\.removed-\d+|\.\d+\..*")
"""Names of checkpoints that were being written or removed when a kill came."""

Metric = Literal["bleu", "loss", "wer", "cer"]


@dataclass(frozen=True)
class Score:
    """What checkpoints are ranked by: a higher BLEU is better, or a lower loss or error rate."""

    metric: Metric
    value: float

    @property
    def rank(self) -> float:
        """Higher is better."""
        return self.value if self.metric == "bleu" else -self.value


@dataclass(frozen=True)
class Resumed:
    """The training state of a checkpoint, as it was saved."""

    folder: Path
    tensors: dict[str, Tensor]
    record: dict[str, Any]


def checkpoint_folder(run: Path, update: int) -> Path:
    """Where a run keeps the checkpoint of an update."""
    return run / FOLDER / str(update)


def publish(run: Path, update: int, write: Callable[[Path], None], score: Score | None, keep_best: int = 1) -> None:
    """Make `checkpoints/<update>/` of what `write` puts into the folder it is given, and prune older ones.

    The `keep_best` best stay, this one, and the one before it in case that this one gets damaged. Checkpoints of later
    updates, left by a run that was resumed from before them, go. Without a score a checkpoint is never the best. When
    another becomes the best, it is told that what was tuned for the one before no longer holds, see `hand_on`.
    """
    tuned = _tuned_best(run)
    folder = checkpoint_folder(run, update)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with committed_folder(folder, replace=True) as temporary:
        write(temporary)
        if score is not None:
            write_json(temporary / SCORE, {"metric": score.metric, "value": score.value})
    ranked = [path for path in best_checkpoints(run) if int(path.name) <= update]
    if tuned is not None:
        hand_on(*tuned, ranked[0] if ranked else folder)
    if ranked:
        write_json(run / "best.json", {"update": int(ranked[0].name), **read_json(ranked[0] / SCORE)})
    else:
        (run / "best.json").unlink(missing_ok=True)  # it may name one that was passed over and goes now
    write_json(run / "last.json", {"update": update})
    newest = [path for path in _checkpoints(run) if int(path.name) <= update][-2:]
    _prune(run, keep={*newest, *ranked[: max(keep_best, 1)]})


def best_checkpoints(run: Path) -> list[Path]:
    """The checkpoints that have a score, best first; of equal ones the earlier is better. A damaged score is none."""
    ranked = []
    for folder in _checkpoints(run):
        if (folder / SCORE).is_file():
            try:
                ranked.append((-_read_score(folder / SCORE).rank, int(folder.name), folder))
            except ModelError as error:
                warn(f"{error} This checkpoint counts as one without a score.")
    return [folder for _, _, folder in sorted(ranked)]


def resolve(path: Path) -> Path:
    """The model directory that is meant by a model directory or a run; ModelError when it is neither."""
    path = Path(path)
    if (path / RECORD).is_file():
        return path
    if not path.exists():
        raise ModelError(f"{path} does not exist. Give a model directory or the folder of a training run.")
    chosen = _chosen_checkpoint(path)
    if chosen is None:
        raise ModelError(
            f"{path} is not a model directory: {RECORD} is missing; nor a run with a checkpoint: best.json and "
            "last.json are missing."
        )
    if not (chosen / RECORD).is_file():
        raise ModelError(f"{chosen}, the chosen checkpoint of {path}, is incomplete: {RECORD} is missing.")
    return chosen


def resume(run: Path) -> Resumed | None:
    """The training state of the last checkpoint, None before the first.

    A damaged one is passed over with a warning for the one before it; ModelError when all are damaged.
    """
    folders = _checkpoints(run)[::-1]
    last = run / "last.json"
    try:
        update = _named_update(last) if last.is_file() else -1
    except ModelError as error:
        warn(f"{error} Taking the newest checkpoint.")
        update = -1
    folders = [folder for folder in folders if int(folder.name) <= update] or folders
    for folder in folders:
        try:
            verify(folder, read_info(folder))
            return Resumed(folder, *load_training_state(folder))
        except ModelError as error:
            warn(f"{error} Trying the checkpoint before it.")
    if folders:
        raise ModelError(f"No checkpoint in {run / FOLDER} can be read. Remove {run} to train from the start.")
    return None


def _chosen_checkpoint(run: Path) -> Path | None:
    """The checkpoint named by `best.json`, else by `last.json`, else None."""
    for name in ("best.json", "last.json"):
        if (run / name).is_file():
            return checkpoint_folder(run, _named_update(run / name))
    return None


def _tuned_best(run: Path) -> tuple[Tuned, Path] | None:
    """What was tuned for the checkpoint that is the best so far, and that checkpoint, if there is both."""
    try:
        best = _chosen_checkpoint(run)
        tuned = None if best is None else read_tuned(best)
    except ModelError as error:
        warn(str(error))
        return None
    return None if best is None or tuned is None else (tuned, best)


def _checkpoints(run: Path) -> list[Path]:
    """All checkpoints of a run, earliest first."""
    folder = run / FOLDER
    names = [path for path in folder.iterdir() if path.name.isdecimal()] if folder.is_dir() else []
    return sorted(names, key=lambda path: int(path.name))


def _prune(run: Path, keep: set[Path]) -> None:
    """Remove all but `keep`, and what a kill left behind; each loses its name first, so that no half is ever seen."""
    for path in _checkpoints(run):
        if path not in keep:
            path.rename(path.with_name(f".removed-{path.name}"))
    for hidden in (run / FOLDER).iterdir():
        if LEFT_BEHIND.fullmatch(hidden.name):
            shutil.rmtree(hidden)


def _named_update(path: Path) -> int:
    update = read_json(path).get("update")
    if not isinstance(update, int) or isinstance(update, bool) or update < 0:
        raise ModelError(f"{path} does not name a checkpoint: its update is {update!r}.")
    return update


def _read_score(path: Path) -> Score:
    document = read_json(path)
    metric: Any = document.get("metric")
    value = document.get("value")
    if metric not in get_args(Metric) or not isinstance(value, (int, float)):
        raise ModelError(f"{path} does not hold a score.")
    return Score(metric, float(value))
