#!/usr/bin/env python3
"""Decoding throughput and latency on the CPU, of text or of recordings, s2s beside its peers.

MODEL is a model of s2s that was trained well. JoeyNMT and Marian decode the same tokens of the same lines with a model
of the same sizes, which they train here on DATA for --peer-updates updates and keep. Such models write hypotheses of
other lengths: so the time for each token written is compared, and sentences a second beside it, and the lengths are
told. s2s and JoeyNMT write at most --max-length tokens (s2s also three for each of the source and ten more), Marian
three for each of the source, since it has no other limit; models that were trained for a while end before. All search
with the same beam, divide scores by the length, and take --batch source tokens at once; s2s and Marian sort lines by
length for this, which JoeyNMT does not. Each system is loaded and gets warm with a few lines before the clock starts.

Recordings (--audio): the real-time factor is seconds of work by seconds of audio. PocketSphinx decodes the same
recordings with its own English model. --latency decodes one line, or recording, after the other. --joined N makes one
line of N neighbouring ones: how time grows with length.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import driving
import ours
import peers
import recordings
from boundary import BenchError, end
from building import text_data
from peermodels import PeerModel, add_options, peer_model
from results import publish
from rounds import Figures, System, alternate, table

from s2s.checkpoint import resolve
from s2s.inference.runtime import PRECISIONS

WARM_UP = 20
"""Lines, at most, with which a system gets warm."""

Plan = tuple[list[System], list[tuple[str, str]]]


def main(words: Sequence[str]) -> None:
    """Measure and tell."""
    arguments = _arguments(words)
    resolve(arguments.model)
    if arguments.audio:
        systems, pairs, compared = recordings.plan(arguments)
    else:
        systems, pairs = plan(arguments)
        compared = ["target tokens/s", "sentences/s"]
    if arguments.latency:
        compared = ["median ms", "95th percentile ms"]
    found = alternate(systems, arguments.rounds)
    publish(table(found, pairs, compared), words, arguments.threads, arguments.record, __file__)


def plan(arguments: argparse.Namespace) -> Plan:
    """What is measured in each round, in this order, and what is compared with what: for each beam s2s and peers."""
    if arguments.data is None:
        raise BenchError("Name the prepared data of the model with --data, or recordings with --audio.")
    data = text_data(arguments.data)
    given = [line for line in data.segments(arguments.part).column("source") if line.strip()][: arguments.limit]
    models = [peer_model(peer, arguments, data) for peer in arguments.peer]
    systems: list[System] = []
    pairs: list[tuple[str, str]] = []
    for joined, beam in product(arguments.joined or [1], arguments.beam or [5, 1]):
        lines = [" ".join(group) for group in zip(*[iter(given)] * joined, strict=False)]
        suffix = (", greedy" if beam == 1 else f", beam {beam}") + (f", {joined} lines in one" if joined > 1 else "")
        own = {
            f"s2s {precision}{suffix}": partial(_own, arguments, lines, beam, precision)
            for precision in arguments.precision or ours.precisions()
        }
        systems += [System(name, measure) for name, measure in own.items()]
        for model in models:
            systems.append(System(f"{model.name}{suffix}", partial(_peer, arguments, model, lines, beam)))
            pairs += [(name, f"{model.name}{suffix}") for name in own]
    return systems, pairs


def _own(arguments: argparse.Namespace, lines: Sequence[str], beam: int, precision: str) -> Figures:
    job = {"model": str(arguments.model), "precision": precision, **_job(arguments, lines, beam)}
    return _figures(driving.ours("s2s_text", job, arguments.threads), len(lines), arguments.latency)


def _peer(arguments: argparse.Namespace, model: PeerModel, lines: Sequence[str], beam: int) -> Figures:
    job = _job(arguments, lines, beam) | model.job(lines, beam, arguments.batch, arguments.threads)
    job["warm_up"] = job["items"][:WARM_UP]
    driven = driving.drive(f"{model.name}_text", model.python, job, arguments.threads)
    return _figures(driven, len(lines), arguments.latency)


def _job(arguments: argparse.Namespace, lines: Sequence[str], beam: int) -> dict[str, Any]:
    return {
        "items": lines,
        "warm_up": lines[:WARM_UP],
        "one_by_one": arguments.latency,
        "beam": beam,
        "max_length": arguments.max_length,
        "batch_tokens": arguments.batch,
    }


def _figures(driven: driving.Driven, sentences: int, latency: bool) -> Figures:
    per_sentence = {"tokens a sentence": driven.units / sentences}
    if latency:
        return {**driving.latencies(driven.milliseconds), **per_sentence}
    return {
        "target tokens/s": driven.units / driven.seconds,
        "sentences/s": sentences / driven.seconds,
        **per_sentence,
    }


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="model or run of s2s")
    parser.add_argument("--data", type=Path, help="prepared text; its lines are decoded, and peers are trained on it")
    parser.add_argument("--part", default="test", help="part of the data that is decoded (default: test)")
    parser.add_argument("--audio", type=Path, nargs="+", metavar="PATH", help="recordings, or folders of them")
    parser.add_argument("--limit", type=int, default=1000, help="lines or recordings at most (default: 1000)")
    parser.add_argument("--latency", action="store_true", help="one at a time: milliseconds of each")
    parser.add_argument("--joined", type=int, action="append", metavar="N", help="lines of text in one; repeatable")
    parser.add_argument("--beam", type=int, action="append", help="repeatable (default: 5, and 1, which is greedy)")
    parser.add_argument(
        "--precision",
        action="append",
        choices=PRECISIONS,
        help="of s2s; repeatable (default: float32, and bfloat16 where the CPU has it)",
    )
    parser.add_argument("--batch", type=int, help="source tokens, or frames, at once (default: 2048, or 20000)")
    parser.add_argument("--max-length", type=int, default=100, help="tokens of a hypothesis (default: 100)")
    add_options(parser)
    peers.add_options(parser, (*peers.TEXT_PEERS, "pocketsphinx"))
    arguments = parser.parse_args(words)
    arguments.batch = arguments.batch or (20_000 if arguments.audio else 2048)
    wrong = set(arguments.peer) & (set(peers.TEXT_PEERS) if arguments.audio else {"pocketsphinx"})
    if arguments.joined and (arguments.audio or min(arguments.joined) < 1):
        parser.error("--joined needs text, and counts lines from 1")
    if wrong:
        parser.error(f"{', '.join(sorted(wrong))} cannot read {'recordings' if arguments.audio else 'text'}")
    return arguments


if __name__ == "__main__":
    sys.exit(end(main))
