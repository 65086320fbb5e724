#!/usr/bin/env python3
"""Where the time of training and of decoding on the CPU goes, beside the floor of their arithmetic.

`training CONFIG` profiles --count updates after as many to get warm, `decoding MODEL` the translation of --count lines
of test after the same; with --latency one line after the other. Time is that which torch's profiler gives to each
kernel itself; what it measures is slower for being profiled, so that shares matter more than seconds. What lies between
kernels (Python, and what calls them) is the difference to the time that passed.

The floor is the time for all multiplications in matrix products and recurrent layers at the speed of one large product
of that precision on this machine (1,024 in each direction), measured in the same run.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any

import peers
import torch
from boundary import BenchError, end
from building import text_data
from results import publish
from rounds import markdown, show, tell
from torch.profiler import ProfilerActivity, profile

from s2s.config import read_config
from s2s.data.prepared import open_data
from s2s.hardware import keep_memory, open_device
from s2s.inference.runtime import PRECISIONS
from s2s.inference.translator import Translator
from s2s.nn.products import PackedLinear, quantise
from s2s.training.building import TrainOptions, build_trainer

GROUPS = {
    "recurrent layers": ["mkldnn_rnn_layer", "mkldnn_rnn_layer_backward"],
    "matrix products": ["mm", "addmm", "bmm", "baddbmm", "_int_mm", "_linear_pointwise", "convolution_overrideable"],
    "softmax": ["_softmax", "_log_softmax", "_softmax_backward_data", "amax", "topk", "max", "sort"],
    "copies, casts and rows that move": ["copy_", "cat", "index", "index_select", "gather", "scatter_add_", "fill_"],
    "optimiser and clipping": ["_fused_adamw_", "linalg_vector_norm", "_foreach_mul_", "_foreach_norm"],
}
OTHER = "other kernels, hundreds of small ones"


@dataclass
class Part:
    """Kernels of one kind: seconds, and multiplications with their additions (two operations each)."""

    seconds: float = 0.0
    operations: float = 0.0
    calls: int = field(default=0)


def main(words: Sequence[str]) -> None:
    """Measure and tell."""
    arguments = _arguments(words)
    open_device("cpu", arguments.threads)
    keep_memory()
    work, unit, precision = _training(arguments) if arguments.kind == "training" else _decoding(arguments)
    tell("getting warm")
    work()
    began = time.perf_counter()
    work()
    passed = time.perf_counter() - began
    tell("profiling")
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
        work()
    speed = fastest(precision)
    publish(
        report(parts(profiler), passed, arguments.count, unit, speed),
        words,
        arguments.threads,
        arguments.record,
        __file__,
    )


def parts(profiler: profile) -> dict[str, Part]:
    """The kernels of a profile by their kind."""
    group_of = {name: group for group, names in GROUPS.items() for name in names}
    found: dict[str, Part] = defaultdict(Part)
    events: Callable[[], Sequence[Any]] = profiler.events
    for event in events():
        name = event.name.split("::")[-1]
        part = found[group_of.get(name, OTHER)]
        part.seconds += event.self_cpu_time_total / 1e6
        part.calls += 1
        if event.cpu_parent is None or event.cpu_parent.name != event.name:  # a wrapper has the name of what it calls
            part.operations += operations(name, event.input_shapes)
    return found


def operations(name: str, shapes: Sequence[Sequence[int]]) -> float:
    """Multiplications and additions of a kernel by the shapes that enter it; 0 for what multiplies no matrices."""
    if name == "mkldnn_rnn_layer":
        (steps, rows, _), inputs, recurrent = shapes[:3]
        return 2.0 * steps * rows * (prod(inputs) + prod(recurrent))
    if name == "mkldnn_rnn_layer_backward":
        return 2 * operations("mkldnn_rnn_layer", shapes)
    if name in ("mm", "_int_mm", "bmm"):
        return 2.0 * prod(shapes[0]) * shapes[1][-1]
    if name == "addmm":
        return 2.0 * prod(shapes[1]) * shapes[2][-1]
    if name == "_linear_pointwise":
        return 2.0 * prod(shapes[0]) * shapes[1][0]
    return 0.0


def fastest(precision: str, size: int = 1024) -> float:
    """Operations a second of a large product: the best of 30."""
    factors = torch.randn(2, size, size)
    product: Callable[[], torch.Tensor]
    if precision == "int8":
        one, other = (quantise(factor)[0] for factor in factors)
        product = lambda: torch._int_mm(one, other.t())  # noqa: E731
    elif precision == "bfloat16":
        low = factors.bfloat16()
        product = lambda: torch.mm(low[0], low[1].t())  # noqa: E731
    else:
        linear = PackedLinear(factors[1], None)
        product = lambda: linear(factors[0])  # noqa: E731
    seconds = []
    for _ in range(30):
        began = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - began)
    return 2.0 * size**3 / min(seconds)


def report(found: dict[str, Part], passed: float, count: int, unit: str, speed: float) -> str:
    """A table of the kinds, and the floor beneath."""
    profiled = sum(part.seconds for part in found.values())
    rows = [["kernels", f"ms {unit}", "share", f"calls {unit}", "GFLOP", "GFLOP/s"]]
    for name in [*GROUPS, OTHER]:
        part = found[name]
        rate = show(part.operations / part.seconds / 1e9) if part.operations else ""
        work = show(part.operations / count / 1e9) if part.operations else ""
        share = f"{part.seconds / profiled:.0%}"
        rows.append([name, show(1e3 * part.seconds / count), share, f"{part.calls / count:,.0f}", work, rate])
    total = sum(part.operations for part in found.values())
    lines = [
        f"- {show(1e3 * passed / count)} ms {unit} without the profiler, and with it "
        f"{show(1e3 * profiled / count)} ms of kernels",
        f"- floor: {show(1e3 * total / speed / count)} ms {unit} for {show(total / count / 1e9)} GFLOP at "
        f"{show(speed / 1e9)} GFLOP/s, which a large product reaches: {total / speed / passed:.0%} of the time",
    ]
    return markdown(rows) + "\n\n" + "\n".join(lines)


def _training(arguments: argparse.Namespace) -> tuple[Callable[[], object], str, str]:
    config = read_config(arguments.subject, [*arguments.set, f"training.precision={arguments.precision}"])
    options = TrainOptions(arguments.data, Path("never-written"))
    trainer = build_trainer(config, options, torch.device("cpu"), open_data(arguments.data))
    batches = list(islice(trainer.batches.epoch(1), arguments.count))
    return lambda: [trainer.update([batch]) for batch in batches], "an update", arguments.precision


def _decoding(arguments: argparse.Namespace) -> tuple[Callable[[], object], str, str]:
    translator = Translator.load(arguments.subject, precision=arguments.precision, threads=arguments.threads)
    given = text_data(arguments.data).segments("test").column("source")[: arguments.count]
    lots = [[line] for line in given] if arguments.latency else [given]
    beam = arguments.beam
    return lambda: [translator.translate(lot, beam_size=beam) for lot in lots], "a line", arguments.precision


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["training", "decoding"], help="what is profiled")
    parser.add_argument("subject", type=Path, metavar="CONFIG|MODEL", help="config of a run, or model that translates")
    parser.add_argument("--data", type=Path, required=True, help="prepared text")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override of one config key")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="default: float32")
    parser.add_argument("--count", type=peers.count, help="updates or lines (default: 40, or 400)")
    parser.add_argument("--beam", type=int, default=5, help="of a search (default: 5)")
    parser.add_argument("--latency", action="store_true", help="decoding: one line after the other")
    parser.add_argument("--threads", type=peers.count, default=1, help="default: 1")
    parser.add_argument("--record", action="store_true", help="put the result into RESULTS.md")
    arguments = parser.parse_args(words)
    arguments.count = arguments.count or (40 if arguments.kind == "training" else 400)
    if arguments.kind == "training" and arguments.precision == "int8":
        raise BenchError("int8 is a precision of decoding: take float32 or bfloat16.")
    return arguments


if __name__ == "__main__":
    sys.exit(end(main))
