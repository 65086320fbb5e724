#!/usr/bin/env python3
"""Peak anonymous memory of a command and all its processes, and its time, against the size of a corpus.

Anonymous memory is RssAnon of /proc/PID/status, read every 0.1 s: what the system cannot drop, without files that are
mapped. The corpora are generated from the given one, see preparation.py, with --pairs pairs and 4 and 16 times as
many: `preparation` prepares them; `training` trains for --seconds after updates are seen in its log (peers: models of
the same sizes on the same tokens), of which the tokens a second are told, too, without those of the first seconds, in
which the corpus is read; `translating` translates as many lines with MODEL, greedily. `command` measures any
other command, which follows after --.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import ours
import peers
from boundary import BenchError, end
from building import Build, PeerPlan, in_new_folder, shape_for, text_data
from corpus import generate
from preparation import command as preparing
from processes import peak_of, seconds_of
from results import publish
from rounds import Figures, System, alternate, table
from watching import Training, rates

from s2s.config import RunConfig

PEAK = "peak MB"
VOCABULARY = 4000
KINDS = ("preparation", "training", "translating", "command")


def main(words: Sequence[str]) -> None:
    """Measure and tell."""
    arguments = _arguments(words)
    if not Path("/proc/self/status").exists():
        raise BenchError("This system has no /proc/PID/status, from which memory is read. Use Linux.")
    if arguments.kind == "command":
        measure = partial(_measure, arguments.command, ours.environment(arguments.threads))
        found = alternate([System(" ".join(arguments.command), measure)], arguments.rounds)
        publish(table(found, [], []), words, arguments.threads, arguments.record, __file__)
        return
    with in_new_folder(arguments.environments) as folder:
        systems, pairs = plan(arguments, Path(folder))
        found = alternate(systems, arguments.rounds)
    publish(table(found, pairs, [PEAK]), words, arguments.threads, arguments.record, __file__)


def plan(arguments: argparse.Namespace, folder: Path) -> tuple[list[System], list[tuple[str, str]]]:
    """What is measured in each round, in this order, and what is compared with what; corpora are made before."""
    systems: list[System] = []
    pairs = []
    for factor in arguments.factors:
        size = factor * arguments.pairs
        place = folder / str(factor)
        place.mkdir()
        options = generate(arguments.corpus[0], arguments.corpus[1], size, place)
        name = f"{size:,} pairs"
        if arguments.kind == "training":
            data = _prepared(options, place, arguments.threads)
            systems += [System(f"{who}, {name}", one) for who, one in _trainings(arguments, data, place)]
            own = [f"s2s, {name}", *([f"s2s like marian, {name}"] if "marian" in arguments.peer else [])]
            pairs += [(own[-1 if peer == "marian" else 0], f"{peer}, {name}") for peer in arguments.peer]
        else:
            systems.append(System(f"s2s {arguments.kind}, {name}", _own(arguments, options, place)))
    return systems, pairs


def _own(arguments: argparse.Namespace, options: Sequence[str], place: Path) -> Callable[[], Figures]:
    """Preparation or translation of one corpus."""
    environment = ours.environment(arguments.threads)
    if arguments.kind == "translating":
        command = [sys.executable, "-m", "s2s", "translate", str(arguments.model), options[1], "--beam-size", "1"]
        return partial(_measure, command, environment)

    def measure() -> Figures:
        shutil.rmtree(place / "data", ignore_errors=True)
        return _measure(preparing(options, place / "data"), environment)

    return measure


def _prepared(options: Sequence[str], place: Path, threads: int) -> Path:
    """The corpus with as large a vocabulary as any other: what a token costs depends on it."""
    sized = [*options, "--vocabulary-size", str(VOCABULARY)]
    seconds_of(preparing(sized, place / "data"), ours.environment(threads))
    return place / "data"


def _trainings(arguments: argparse.Namespace, data: Path, place: Path) -> list[tuple[str, Callable[[], Figures]]]:
    """The training of s2s and of each peer on one corpus."""
    config = ours.config_of(arguments.config, arguments.set)
    own = {"s2s": config} | ({"s2s like marian": shape_for("marian", config)} if "marian" in arguments.peer else {})
    builds: dict[str, Build] = {name: partial(_build, arguments.threads, shape, data) for name, shape in own.items()}
    for peer in arguments.peer:
        python = peers.python_of(peer, arguments.environments)
        shape = shape_for(peer, config)
        builds[peer] = PeerPlan(peer, python, shape, text_data(data), place, arguments.threads).build
    return [(name, partial(_training, arguments, build)) for name, build in builds.items()]


def _build(threads: int, shape: RunConfig, data: Path, folder: Path) -> Training:
    return ours.training(shape, data, "float32", folder, threads)


def _training(arguments: argparse.Namespace, build: Callable[[Path], Training]) -> Figures:
    """The peak of a training until so many seconds after updates are seen in its log."""
    with in_new_folder(arguments.environments) as folder:
        training = build(Path(folder))
        seen: list[float] = []

        def enough() -> bool:
            if not seen and training.log.exists() and training.read(training.log.read_text(encoding="utf-8")):
                seen.append(time.monotonic())
            return bool(seen) and time.monotonic() - seen[0] > arguments.seconds

        peak = peak_of(training.command, training.environment, enough, training.output)
        windows = training.read(training.log.read_text(encoding="utf-8"))
        return {PEAK: peak / 1e6, "target tokens/s": rates(windows[1:] or windows)["target tokens/s"]}


def _measure(command: Sequence[str], environment: dict[str, str]) -> Figures:
    began = time.monotonic()
    peak = peak_of(command, environment)
    return {PEAK: peak / 1e6, "seconds": time.monotonic() - began}


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS, help="what is measured")
    parser.add_argument("--corpus", type=Path, nargs=2, metavar=("SOURCE", "TARGET"), help="sentences, one a line")
    parser.add_argument("--pairs", type=int, default=20_000, help="of the smallest corpus (default: 20000)")
    parser.add_argument("--factors", type=int, nargs="+", default=[1, 4, 16], help="sizes by it (default: 1 4 16)")
    parser.add_argument("--config", type=Path, help="for training: config of the run")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override of one config key")
    parser.add_argument("--seconds", type=float, default=30, help="of training (default: 30)")
    parser.add_argument("--model", type=Path, help="for translating: model or run of s2s")
    peers.add_options(parser, peers.TEXT_PEERS)
    end_of_options = [*words, "--"].index("--")
    arguments = parser.parse_args(words[:end_of_options], argparse.Namespace(command=words[end_of_options + 1 :]))
    needed = {"training": ("corpus", "config"), "translating": ("corpus", "model"), "preparation": ("corpus",)}
    for name in needed.get(arguments.kind, ("command",)):
        if not getattr(arguments, name):
            parser.error(f"{arguments.kind} needs {'-- and what is run' if name == 'command' else f'--{name}'}")
    if arguments.peer and arguments.kind != "training":
        parser.error(f"--peer has no effect on {arguments.kind}: leave it out")
    return arguments


if __name__ == "__main__":
    sys.exit(end(main))
