"""The folder beside prepared data that holds its finished steps until all are done, so that they are made once."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from s2s.files import LOCK, locked, write_json
from s2s.log import say

PLAN = "plan.json"


@contextmanager
def work_folder(output: Path, plan: Mapping[str, Any]) -> Iterator[Path]:
    """A folder whose files stay when the work is interrupted, for the next work on `output` with the same plan.

    A file is written as NAME.part and renamed when it is whole. The folder goes when the work is done, when it fails,
    since the same work would fail again, and when it is interrupted before anything is whole. UsageError: another
    process is at work on `output`.
    """
    folder = output.parent / f".{output.name}.work"
    folder.mkdir(exist_ok=True)
    with locked(folder, f"Another process prepares {output}. Wait for it, or name another folder."):
        _begin(folder, dict(plan))
        try:
            yield folder
        except Exception:
            shutil.rmtree(folder)
            raise
        except BaseException:
            _keep_what_is_whole(folder)
            raise
        shutil.rmtree(folder)


def _begin(folder: Path, plan: dict[str, Any]) -> None:
    """Empty the folder unless the work in it follows the plan."""
    if _plan(folder / PLAN) == plan:
        say(f"going on with what an interrupted preparation left in {folder}")
        return
    for item in folder.iterdir():
        if item.is_dir():
            shutil.rmtree(item)
        elif item.name != LOCK:
            item.unlink()
    write_json(folder / PLAN, plan)


def _keep_what_is_whole(folder: Path) -> None:
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
