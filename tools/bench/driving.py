"""Drivers: a process for each measurement, run by the Python of its system, that tells what its work took."""

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boundary import BenchError
from ours import environment

DRIVERS = Path(__file__).resolve().parent / "drivers"
LOST = 3600


@dataclass(frozen=True)
class Driven:
    """What a driver told: seconds in all, the units that it made in them, and milliseconds of each call."""

    seconds: float
    units: float
    milliseconds: Sequence[float]


def drive(name: str, python: str, job: Mapping[str, Any], threads: int) -> Driven:
    """Run a driver once; BenchError, with the end of what it said, when it fails."""
    try:
        done = subprocess.run(
            [python, DRIVERS / f"{name}.py"],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            env=environment(threads),
            timeout=LOST,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"The driver {name} did not end within {LOST:,} s. Give it fewer items.") from error
    if done.returncode != 0:
        said = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise BenchError(f"The driver {name} ended with exit code {done.returncode}. It said last:\n{said}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return Driven(told["seconds"], told["units"], told["milliseconds"])


def ours(name: str, job: Mapping[str, Any], threads: int) -> Driven:
    """Run a driver of s2s."""
    return drive(name, sys.executable, {**job, "threads": threads}, threads)


def latencies(milliseconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile (the value that 95 of 100 do not exceed)."""
    ordered = sorted(milliseconds)
    rank = -(-95 * len(ordered) // 100)
    return {"median ms": statistics.median(ordered), "95th percentile ms": ordered[rank - 1]}
