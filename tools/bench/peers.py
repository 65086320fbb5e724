"""Peers: their virtual environments, made by this file, and the same data as s2s reads it, in the form that they read.

Everything is kept under `.bench/` in the project's root, or in the folder given by --environments.
"""

import argparse
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Sequence
from pathlib import Path

from boundary import BenchError
from corpus import write
from rounds import tell

from s2s.data.parallel_text import TextData
from s2s.files import sha256
from s2s.text.tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / ".bench"
PACKAGES = {
    "joeynmt": ("joeynmt==2.3.0", "torch==2.13.0", "setuptools<81", "importlib_metadata"),
    "marian": ("pymarian==1.12.42",),
    "pocketsphinx": ("pocketsphinx==5.1.1",),
}
TRIAL = {
    "joeynmt": "import joeynmt.training",
    "marian": "import pymarian",
    "pocketsphinx": "import pocketsphinx",
}
NAMES = {"joeynmt": ("joeynmt", "joey")}
"""Other names that the folder of an environment may have."""

TEXT_PEERS = ("joeynmt", "marian")


def count(text: str) -> int:
    """A whole number of 1 or more, for argparse."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def add_options(parser: argparse.ArgumentParser, peers: Sequence[str]) -> None:
    """The options of every command: peers and where they are, rounds, threads, and whether results are kept."""
    if peers:
        parser.add_argument("--peer", action="append", default=[], choices=peers, help="run it beside s2s; repeatable")
    parser.add_argument("--rounds", type=count, default=5, help="measurements of each system (default: 5)")
    parser.add_argument("--threads", type=count, default=1, help="threads of each system (default: 1)")
    parser.add_argument("--record", action="store_true", help="put the result into RESULTS.md")
    parser.add_argument(
        "--environments", type=Path, default=BENCH, metavar="FOLDER", help="where peers are installed (default: .bench)"
    )


def python_of(peer: str, folder: Path) -> str:
    """The Python of the peer's environment in `folder`, which is made and filled where it is missing."""
    for name in NAMES.get(peer, (peer,)):
        python = folder / name / "bin" / "python"
        if python.exists() and _works(python, peer):
            return str(python)
    return _install(peer, folder / peer)


def _install(peer: str, folder: Path) -> str:
    tell(f"installing {', '.join(PACKAGES[peer])} into {folder}")
    if folder.exists() and not (folder / "pyvenv.cfg").exists():
        raise BenchError(f"{folder} is no virtual environment. Move it away and run this again.")
    venv.create(folder, clear=True, with_pip=True)
    python = folder / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES[peer]]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0 or not _works(python, peer):
        raise BenchError(f"{peer} could not be installed into {folder}; what pip said stands above.")
    return str(python)


def _works(python: Path, peer: str) -> bool:
    return subprocess.run([python, "-c", TRIAL[peer]], capture_output=True, check=False).returncode == 0


def export(data: TextData, kept: Path = BENCH) -> Path:
    """A folder with the parts train and dev as tokens separated by blanks, and the vocabularies; it is kept.

    The tokens are the data's own ids, by name, so that a peer reads exactly what s2s reads.
    """
    folder = kept / "data" / sha256(data.path / "manifest.json")[:16]
    if folder.exists():
        return folder
    tell(f"writing the data for peers into {folder}")
    unfinished = folder.with_name(folder.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    names = (token_names(data.codec.source), token_names(data.codec.target))
    for part in ("train", "dev"):
        segments = data.segments(part)
        pairs = segments.draw(range(len(segments)), None).pairs
        write(unfinished / f"{part}.src", (_line(names[0], source[:-1]) for source, _ in pairs))
        write(unfinished / f"{part}.trg", (_line(names[1], target) for _, target in pairs))
    for side, vocabulary in zip(("src", "trg"), names, strict=True):
        write(unfinished / f"vocabulary.{side}.txt", vocabulary)
    unfinished.rename(folder)
    return folder


def token_names(tokenizer: Tokenizer) -> list[str]:
    """A name for each id: the unit itself, or `<id>` where it could be taken for a blank or the end of a line."""
    pieces = tokenizer.pieces(range(tokenizer.size))
    return [piece if _is_plain(piece) else f"<{number}>" for number, piece in enumerate(pieces)]


def as_tokens(data: TextData, lines: Iterable[str]) -> list[str]:
    """Lines of text as tokens separated by blanks."""
    names = token_names(data.codec.source)
    return [_line(names, data.codec.encode_source(line)[0][:-1]) for line in lines]


def _is_plain(piece: str) -> bool:
    return piece.isprintable() and piece.split() == [piece]


def _line(names: Sequence[str], ids: Sequence[int]) -> str:
    return " ".join(names[number] for number in ids)
