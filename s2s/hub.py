"""Data sets of the package `datasets`: in a local folder, or on the Hugging Face hub."""

import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from s2s.errors import DataError, UsageError
from s2s.log import say

PREFIX = "datasets:"
TIMEOUT = 10
"""Seconds in which the hub must answer at all."""


def open_part(place: str, form: str) -> tuple[str, Any]:
    """The name and the rows of `NAME@SPLIT`, or `NAME` where there is but one part; `form` is how users write it.

    NAME is a folder (what `save_to_disk` wrote, or files that `load_dataset` knows), or a name on the hub, with
    `:CONFIG` where it has several. UsageError: no such part. DataError: the data set cannot be loaded.
    """
    from datasets import DatasetDict

    name, split = cut(place, "@")
    loaded = _load(name)
    if not isinstance(loaded, DatasetDict):
        if split:
            raise UsageError(f"The data set {name} has no splits: leave out @{split}.")
        return name, loaded
    if split not in loaded:
        wrong = f"no split {split}" if split else "several splits"
        raise UsageError(f"The data set {name} has {wrong}: name one of {', '.join(map(str, loaded))} as {form}.")
    return name, loaded[split]


def cut(text: str, mark: str) -> tuple[str, str]:
    """What stands before and after the last mark; all of it stands before when there is none."""
    before, found, after = text.rpartition(mark)
    return (before, after) if found else (text, "")


def _load(name: str) -> Any:
    import datasets

    datasets.disable_progress_bars()
    folder = Path(name)
    try:
        if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
            return datasets.load_from_disk(name)
        if folder.is_dir():
            return datasets.load_dataset(name)
        say(f"looking for {name} on the Hugging Face hub")
        _reach()
        path, _, config = name.partition(":")
        return datasets.load_dataset(path, config or None)
    except Exception as error:  # its loaders raise whatever their formats and the network do
        told = error.__cause__ or error if isinstance(error, datasets.exceptions.DatasetGenerationError) else error
        reason = (str(told).strip() or type(told).__name__).splitlines()[0].removesuffix(".")
        raise DataError(
            f"The data set {name} cannot be loaded: {reason}. HF_HUB_OFFLINE=1 uses what was downloaded before. "
            "Without a network, download it elsewhere and give its folder."
        ) from error


def _reach() -> None:
    """OSError when the hub does not answer; its own client would try again for a minute or more."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return
    with suppress(HTTPError):  # which is an answer
        urllib.request.urlopen(constants.ENDPOINT, timeout=TIMEOUT).close()
