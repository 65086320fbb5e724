#!/usr/bin/env python3
"""Seconds of whole processes: `s2s --help`, `import s2s`, and `s2s translate MODEL` of one line.

Peers tell their help and translate the same line, in their own commands, with a model of the same sizes that is trained
on DATA for --peer-updates updates and kept. Peers get the line as tokens; s2s makes them itself.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import peers
from boundary import BenchError, end
from building import text_data
from ours import environment
from peermodels import add_options, peer_model
from processes import seconds_of
from results import publish
from rounds import Figures, System, alternate, table

SECONDS = "seconds"
Plan = tuple[list[System], list[tuple[str, str]]]


def main(words: Sequence[str]) -> None:
    """Measure and tell."""
    arguments = _arguments(words)
    systems, pairs = plan(arguments)
    found = alternate(systems, arguments.rounds)
    publish(table(found, pairs, [SECONDS]), words, arguments.threads, arguments.record, __file__)


def plan(arguments: argparse.Namespace) -> Plan:
    """What is measured in each round, in this order, and what is compared with what."""
    if arguments.peer and (arguments.model is None or arguments.data is None):
        raise BenchError("Peers translate with a model like that of --model, trained on --data: name both.")
    s2s = [sys.executable, "-m", "s2s"]
    commands = {"s2s --help": ([*s2s, "--help"], ""), "import s2s": ([sys.executable, "-c", "import s2s"], "")}
    pairs = []
    if arguments.model is not None:
        commands["s2s translate"] = ([*s2s, "translate", str(arguments.model)], arguments.line + "\n")
    for peer in arguments.peer:
        data = text_data(arguments.data)
        one = peer_model(peer, arguments, data)
        tokens = peers.as_tokens(data, [arguments.line])[0] + "\n"
        commands |= {f"{peer} --help": (one.help_command(), "")}
        commands |= {f"{peer} translate": (one.command(arguments.threads), tokens)}
        pairs += [("s2s --help", f"{peer} --help"), ("s2s translate", f"{peer} translate")]
    surroundings = environment(arguments.threads)
    return [
        System(name, partial(_measure, command, given, surroundings)) for name, (command, given) in commands.items()
    ], pairs


def _measure(command: Sequence[str], given: str, surroundings: Mapping[str, str]) -> Figures:
    return {SECONDS: seconds_of(command, surroundings, given)}


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="model or run of s2s that translates")
    parser.add_argument("--data", type=Path, help="its prepared data, on which peers are trained")
    parser.add_argument("--line", default="The garage door is open.", help="what is translated")
    add_options(parser)
    peers.add_options(parser, peers.TEXT_PEERS)
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(end(main))
