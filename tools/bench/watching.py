"""Trainings that are started, watched through their log until enough of it is there, and ended."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from boundary import BenchError

POLL = 0.2
LOST = 900.0
"""Seconds without a line in the log after which a training is taken for lost."""


@dataclass(frozen=True)
class Window:
    """What a log tells of the updates between two of its lines: how many, seconds and real target tokens."""

    updates: int
    seconds: float
    tokens: float


@dataclass(frozen=True)
class Training:
    """A training that can be watched: its command, the file that it writes, and how that is read.

    `output` is where it says what goes wrong; it may be the same file.
    """

    command: Sequence[str]
    log: Path
    read: Callable[[str], list[Window]]
    output: Path
    environment: Mapping[str, str]


def watch(training: Training, warm_up: float, seconds: float) -> list[Window]:
    """The windows after the first `warm_up` seconds of updates, until they cover `seconds` or it ends by itself."""
    with started(training.command, training.output, training.environment) as process:
        heard = time.monotonic()
        size = -1
        while True:
            over = process.poll() is not None
            text = _text(training.log)
            windows = settled(training.read(text), warm_up)
            if sum(window.seconds for window in windows) >= seconds or (over and windows):
                return windows
            if len(text) != size:
                heard, size = time.monotonic(), len(text)
            if over or time.monotonic() - heard > LOST:
                raise BenchError(failure(training, process.returncode))
            time.sleep(POLL)


def run(training: Training) -> None:
    """Let a training end by itself; BenchError when it fails."""
    with started(training.command, training.output, training.environment) as process:
        if process.wait() != 0:
            raise BenchError(failure(training, process.returncode))


def settled(windows: Sequence[Window], warm_up: float) -> list[Window]:
    """The windows that begin after so many seconds of updates."""
    kept, passed = [], 0.0
    for window in windows:
        if passed >= warm_up:
            kept.append(window)
        passed += window.seconds
    return kept


def rates(windows: Sequence[Window]) -> dict[str, float]:
    """Tokens a second, and tokens an update."""
    tokens, seconds = sum(window.tokens for window in windows), sum(window.seconds for window in windows)
    return {"target tokens/s": tokens / seconds, "tokens an update": tokens / sum(window.updates for window in windows)}


class started:
    """A context in which a command runs in a process group of its own, which is killed at its end."""

    def __init__(self, command: Sequence[str], output: Path, environment: Mapping[str, str]) -> None:
        self.command, self.output, self.environment = command, output, environment

    def __enter__(self) -> "subprocess.Popen[bytes]":
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                start_new_session=True,
            )
        return self.process

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def failure(training: Training, code: int | None) -> str:
    """A sentence on what did not go on, with the end of what it said."""
    said = "\n".join(_text(training.output).strip().splitlines()[-5:])
    how = "wrote nothing for too long" if code is None else f"ended with exit code {code} before enough was measured"
    return f"{' '.join(training.command[:4])} ... {how}. It said last:\n{said}"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
