#!/usr/bin/env python3
"""Training throughput on the CPU: real target tokens a second (with EOS, without padding), s2s beside its peers.

Each system trains a model of the same sizes on the same tokens, with about as many real target tokens an update, until
updates of --seconds have passed after a warm-up; then it is ended. Starting, reading data, validations and checkpoints
are not counted; learning rates and what is learned do not matter. All read the tokens of DATA's own tokenizer in random
order, with as much dropout of the config as they have. Peers compute in float32. joeynmt.py and marian.py tell what
their models are; beside Marian, s2s has an encoder as wide as Marian's.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import ours
import peers
from boundary import end
from building import Build, PeerPlan, in_new_folder, shape_for, text_data
from results import publish
from rounds import Figures, System, alternate, table
from watching import Training, rates, watch

from s2s.config import RunConfig

TOKENS = "target tokens/s"


def main(words: Sequence[str]) -> None:
    """Measure and tell."""
    arguments = _arguments(words)
    config = ours.config_of(arguments.config, arguments.set)
    systems, pairs = plan(arguments, config)
    found = alternate(systems, arguments.rounds)
    publish(table(found, pairs, [TOKENS]), words, arguments.threads, arguments.record, __file__)


def plan(arguments: argparse.Namespace, config: RunConfig) -> tuple[list[System], list[tuple[str, str]]]:
    """What is measured in each round, in this order, and what is compared with what.

    Each peer follows s2s in the shape in which it is compared; a shape is measured once a round.
    """
    systems: list[System] = []
    pairs = []
    measured: dict[RunConfig, list[str]] = {}
    for peer in arguments.peer or [None]:
        shape = shape_for(peer, config)
        if shape not in measured:
            ours_now = _own(arguments, shape, "" if shape == config else f", encoder {shape.model.encoder.width} wide")
            measured[shape] = [system.name for system in ours_now]
            systems += ours_now
        if peer is not None:
            python = peers.python_of(peer, arguments.environments)
            data = text_data(arguments.data)
            build = PeerPlan(peer, python, shape, data, arguments.environments, arguments.threads).build
            systems.append(_system(peer, arguments, build))
            pairs += [(name, peer) for name in measured[shape]]
    return systems, pairs


def _own(arguments: argparse.Namespace, shape: RunConfig, suffix: str) -> list[System]:
    def build(precision: str, folder: Path) -> Training:
        return ours.training(shape, arguments.data, precision, folder, arguments.threads)

    chosen = arguments.precision or ours.precisions()
    return [_system(f"s2s {precision}{suffix}", arguments, partial(build, precision)) for precision in chosen]


def _system(name: str, arguments: argparse.Namespace, build: Build) -> System:
    def measure() -> Figures:
        with in_new_folder(arguments.environments) as folder:
            return rates(watch(build(Path(folder)), arguments.warm_up, arguments.seconds))

    return System(name, measure)


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="config of the run; its limits are left out")
    parser.add_argument("--data", type=Path, required=True, help="prepared data")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override of one config key")
    parser.add_argument(
        "--precision", action="append", choices=["float32", "bfloat16"], help="default: float32, and the best one"
    )
    parser.add_argument("--seconds", type=float, default=40, help="of updates that are measured (default: 40)")
    parser.add_argument("--warm-up", type=float, default=10, help="seconds of updates before them (default: 10)")
    peers.add_options(parser, peers.TEXT_PEERS)
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(end(main))
