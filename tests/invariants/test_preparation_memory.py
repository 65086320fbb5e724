"""Preparing streams: a corpus ten times as long takes no more memory of its own than its hashes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import sys, threading
from pathlib import Path
from s2s.data.prepare_text import PrepareTextOptions, prepare_text
from s2s.data import learning
from s2s.text.readers import Side

folder = Path(sys.argv[1])
learning.MAX_SEGMENTS = 4000  # a corpus of more than half a million segments would take too long here
peak = 0
done = threading.Event()

def watch():
    global peak
    while not done.wait(0.01):
        line = next(line for line in open("/proc/self/status") if line.startswith("RssAnon"))
        peak = max(peak, int(line.split()[1]))

watcher = threading.Thread(target=watch)
sides = lambda part: (Side(str(folder / f"{part}.de")), Side(str(folder / f"{part}.en")))
parts = {part: sides(part) for part in ("train", "dev", "test")}
watcher.start()
prepare_text(PrepareTextOptions(parts, ("de", "en"), folder / "data", vocabulary_size=600))
done.set()
watcher.join()
print("peak", peak)
"""


def write_corpus(folder: Path, count: int) -> Path:
    """Pairs of about 150 bytes a side, all different, of a few words and numbers."""
    folder.mkdir()
    for part, segments in (("train", count), ("dev", 10), ("test", 10)):
        for side, words in (("de", "haus baum hund katze licht"), ("en", "house tree dog cat light")):
            with (folder / f"{part}.{side}").open("w") as file:
                file.writelines(
                    f"{words} {number} {words} {number * 7919 % 1009} {words} {words}\n" for number in range(segments)
                )
    return folder


def peak_kilobytes(folder: Path) -> int:
    done = subprocess.run([sys.executable, "-c", MEASURE, str(folder)], capture_output=True, text=True, check=True)
    found = re.search(r"peak (\d+)", done.stdout)
    assert found is not None
    return int(found[1])


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="needs Linux's account of memory")
def test_memory_does_not_grow_with_the_corpus(tmp_path: Path) -> None:
    few, many = write_corpus(tmp_path / "few", 10_000), write_corpus(tmp_path / "many", 100_000)
    grown = 1024 * (peak_kilobytes(many) - peak_kilobytes(few))
    added = sum(file.stat().st_size for file in many.glob("train.*")) * 0.95
    assert added > 12e6
    # Of each pair a hash of 8 bytes is remembered: an object of 41 bytes, in a set that is at least a sixth full.
    assert grown < 90_000 * 100 + 4e6
