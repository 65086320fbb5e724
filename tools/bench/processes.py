"""Whole commands: how long they take, and how much memory their processes hold together."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from boundary import BenchError
from watching import started

POLL = 0.1
DONE = (0, 3)
"""Exit codes: done, and what s2s says when it is done but a line was too long."""


def seconds_of(command: Sequence[str], environment: Mapping[str, str], given: str = "") -> float:
    """Seconds from the start of a command to its end; BenchError, with the end of what it said, when it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=False)
    passed = time.perf_counter() - began
    if done.returncode not in DONE:
        raise BenchError(failure(command, done.returncode, done.stderr or done.stdout))
    return passed


def peak_of(
    command: Sequence[str],
    environment: Mapping[str, str],
    enough: Callable[[], bool] | None = None,
    output: Path | None = None,
) -> int:
    """The largest sum of anonymous memory, in bytes, until a command ends or `enough` says so; it is then killed.

    What it says goes to `output`. BenchError, with the end of that, when it fails.
    """
    if output is None:
        with tempfile.TemporaryDirectory() as folder:
            return peak_of(command, environment, enough, Path(folder) / "output.txt")
    largest = 0
    with started(command, output, environment) as process:
        while process.poll() is None and not (enough and enough()):
            largest = max(largest, anonymous(process.pid))
            time.sleep(POLL)
        code = process.poll()
    if code not in (None, *DONE):
        raise BenchError(failure(command, code, output.read_text(encoding="utf-8", errors="replace")))
    return largest


def anonymous(process: int, proc: Path = Path("/proc")) -> int:
    """The anonymous memory of a process and all that descend from it, in bytes.

    Files that are mapped into memory, which the system may drop at any time, do not count.
    """
    return sum(_anonymous(one, proc) for one in tree(process, proc))


def tree(process: int, proc: Path = Path("/proc")) -> list[int]:
    """A process and all that descend from it, as far as they still live."""
    children: dict[int, list[int]] = {}
    for folder in proc.iterdir():
        if folder.name.isdigit() and (parent := _field(folder, "PPid:")) is not None:
            children.setdefault(parent, []).append(int(folder.name))
    found = [process]
    for one in found:
        found += children.get(one, [])
    return found


def _anonymous(process: int, proc: Path) -> int:
    return 1024 * (_field(proc / str(process), "RssAnon:") or 0)


def _field(folder: Path, name: str) -> int | None:
    """A number of /proc/PID/status; None when the process has ended or has no such line."""
    try:
        lines = (folder / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), None)


def failure(command: Sequence[str], code: int | None, said: str) -> str:
    """A sentence on a command that failed."""
    last = "\n".join(said.strip().splitlines()[-5:])
    return f"{' '.join(map(str, command[:5]))} ... ended with exit code {code}. It said last:\n{last}"
