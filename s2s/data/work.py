"""The folder beside prepared data that holds its finished steps until all are done, so that they are made once."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from s2s.errors import DataError, UsageError
from s2s.files import LOCK, commit_folder, locked, parents_of, write_json
from s2s.log import say

PLAN = "plan.json"
RESULT = "result"


@contextmanager
def work_folder(output: Path, plan: Mapping[str, Any]) -> Iterator[tuple[Path, Path]]:
    """A folder for steps, and an empty one in it that becomes `output`, as a whole, when the context ends.

    Steps stay when the work ends early, for the next work on `output` with the same plan. A file is written as
    NAME.part and renamed when it is whole. Nothing stays where no step is whole, nor where the input is wrong, since
    the same work would fail again. UsageError: `output` exists, another process is at work on it, or the name of the
    folder is taken.
    """
    folder = output.parent / f".{output.name}.work"
    with parents_of(output):
        folder.mkdir(exist_ok=True)
        with locked(folder, f"Another process prepares {output}. Wait for it, or name another folder."):
            _check(folder)
            try:
                _begin(folder, dict(plan))
                yield folder, folder / RESULT
                commit_folder(folder / RESULT, output)
            except (DataError, UsageError):
                shutil.rmtree(folder)
                raise
            except BaseException:
                _keep_what_is_whole(folder)
                raise
            shutil.rmtree(folder)


def _check(folder: Path) -> None:
    names = {item.name for item in folder.iterdir()}
    if PLAN not in names and not all(name.startswith(".") for name in names):  # a kill may leave the plan half written
        raise UsageError(f"{folder} is in the way: s2s keeps its own work in a folder of this name. Rename it.")


def _begin(folder: Path, plan: dict[str, Any]) -> None:
    """Leave the steps of this plan, and an empty folder for the result."""
    before = _plan(folder / PLAN)
    if before == plan:
        say(f"going on with what an interrupted preparation left in {folder}")
        shutil.rmtree(folder / RESULT, ignore_errors=True)
    else:
        if before is not None:
            say(f"beginning anew: input or options are not those of the interrupted preparation in {folder}")
        for item in folder.iterdir():
            if item.is_dir():
                shutil.rmtree(item)
            elif item.name not in (LOCK, PLAN):  # the plan goes last: without one the rest would seem someone else's
                item.unlink()
        write_json(folder / PLAN, plan)
    (folder / RESULT).mkdir()


def _keep_what_is_whole(folder: Path) -> None:
    shutil.rmtree(folder / RESULT, ignore_errors=True)
    for part in folder.glob("*.part"):
        part.unlink()
    if {item.name for item in folder.iterdir()} <= {PLAN, LOCK}:
        shutil.rmtree(folder)
    else:
        say(f"{folder} keeps what is done; the same command goes on from there.")


def _plan(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
