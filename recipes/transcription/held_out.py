"""A few recordings of the test part in a folder of their own, to try a model on."""

import re
import shutil
from pathlib import Path

from s2s.data.speech import open_speech
from s2s.rng import python_random

FOLDER = "held-out"
COUNT = 5
LONGEST_NAME = 60


def copy_held_out(data: Path) -> None:
    """Copy some recordings of several words from the test part of prepared data, named by what is said in them."""
    part = open_speech(data).segments("test")
    whole = [record for record in part.records() if record["offset"] == 0 and record["duration"] is None]
    longer = [record for record in whole if len(record["target"].split()) > 1]
    folder = data / FOLDER
    folder.mkdir()
    texts = {record["target"]: record for record in longer}  # the same words twice would get the same name
    for record in python_random(1, FOLDER).sample([*texts.values()], min(COUNT, len(texts))):
        audio = data / record["audio"]
        name = re.sub(r"[^\w]+", "-", record["target"])[:LONGEST_NAME].strip("-")
        shutil.copyfile(audio, folder / f"{name}{audio.suffix}")
