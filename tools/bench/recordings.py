"""The part of decoding.py that is about recordings."""

import argparse
import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import driving
import ours
import peers
import soundfile
from boundary import BenchError
from rounds import Figures, System

from s2s.audio.reading import read_at

ENDS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3")
RATE = 16_000
"""Of the English model of PocketSphinx."""

WARM_UP = 3
"""Recordings, at most, with which a system gets warm."""


def plan(arguments: argparse.Namespace) -> tuple[list[System], list[tuple[str, str]], list[str]]:
    """What is measured in each round, what is compared with what, and by which figures.

    Beside a peer all read the recordings as WAV files of 16 kHz.
    """
    files = found(arguments.audio)[: arguments.limit]
    if arguments.peer:
        files = converted(files, arguments.environments / "recordings")
    systems: list[System] = []
    for beam in arguments.beam or [5, 1]:
        suffix = ", greedy" if beam == 1 else f", beam {beam}"
        for precision in arguments.precision or ours.precisions():
            measure = partial(_own, arguments, files, beam, precision)
            systems.append(System(f"s2s {precision}{suffix}", measure))
    pairs = [(system.name, peer) for peer in arguments.peer for system in systems]
    systems += [System(peer, partial(_peer, arguments, files, peer)) for peer in arguments.peer]
    return systems, pairs, ["real-time factor"]


def found(paths: Sequence[Path]) -> list[Path]:
    """The recordings that were named, and those in folders that were named, sorted; BenchError when there are none."""
    files = []
    for path in paths:
        inside = sorted(one for one in path.rglob("*") if one.suffix.lower() in ENDS) if path.is_dir() else [path]
        files += [one for one in inside if one.is_file()]
    if not files:
        raise BenchError(
            f"There are no recordings in {', '.join(map(str, paths))}: no names that end in {', '.join(ENDS)}."
        )
    return files


def converted(files: Sequence[Path], folder: Path) -> list[Path]:
    """The recordings as WAV files of 16 kHz and 16 bits, which are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = []
    for file in files:
        target = folder / f"{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:16]}.wav"
        if not target.exists():
            soundfile.write(target, read_at(file, RATE).numpy(), RATE, subtype="PCM_16")
        targets.append(target)
    return targets


def _own(arguments: argparse.Namespace, files: Sequence[Path], beam: int, precision: str) -> Figures:
    job = {"model": str(arguments.model), "precision": precision, "beam": beam, "batch_frames": arguments.batch}
    driven = driving.ours("s2s_audio", job | _job(arguments, files), arguments.threads)
    return _figures(driven, arguments.latency)


def _peer(arguments: argparse.Namespace, files: Sequence[Path], peer: str) -> Figures:
    python = peers.python_of(peer, arguments.environments)
    driven = driving.drive(f"{peer}_audio", python, _job(arguments, files), arguments.threads)
    return _figures(driven, arguments.latency)


def _job(arguments: argparse.Namespace, files: Sequence[Path]) -> dict[str, Any]:
    items = [str(file) for file in files]
    return {"items": items, "warm_up": items[:WARM_UP], "one_by_one": arguments.latency}


def _figures(driven: driving.Driven, latency: bool) -> Figures:
    waited = driving.latencies(driven.milliseconds) if latency else {}
    return {**waited, "real-time factor": driven.seconds / driven.units, "audio seconds": driven.units}
