#!/usr/bin/env python3
"""Preparation throughput: training segments a second of `s2s prepare text`, from the start of the process to its end.

The corpus is generated: --pairs lines, each of two random sentences of the given corpus and a number, so that none is
a duplicate; dev and test have a thousand each. Filtering, learning the tokenizer, encoding and writing are all in it.
No peer has a command that does the same.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import peers
from boundary import end
from building import in_new_folder
from corpus import generate
from ours import environment
from processes import seconds_of
from results import publish
from rounds import Figures, System, alternate, table


def main(words: Sequence[str]) -> None:
    """Measure and tell."""
    arguments = _arguments(words)
    with in_new_folder(arguments.environments) as folder:
        options = generate(arguments.source, arguments.target, arguments.pairs, Path(folder))
        systems = [System("s2s prepare text", partial(_measure, arguments, options, Path(folder) / "data"))]
        found = alternate(systems, arguments.rounds)
    publish(table(found, [], []), words, arguments.threads, arguments.record, __file__)


def command(options: Sequence[str], output: Path) -> list[str]:
    """The command that prepares a generated corpus."""
    return [sys.executable, "-m", "s2s", "prepare", "text", *options, "--languages", "en-de", "--output", str(output)]


def _measure(arguments: argparse.Namespace, options: Sequence[str], output: Path) -> Figures:
    shutil.rmtree(output, ignore_errors=True)
    seconds = seconds_of(command(options, output), environment(arguments.threads))
    return {"segments/s": arguments.pairs / seconds, "seconds": seconds}


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="sentences, one a line (plain or .gz)")
    parser.add_argument("target", type=Path, help="their translations")
    parser.add_argument("--pairs", type=int, default=100_000, help="of the generated corpus (default: 100000)")
    peers.add_options(parser, ())
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(end(main))
