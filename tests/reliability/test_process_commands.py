"""Training by several processes from the command line and under torchrun: signals, and processes that are lost."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from s2s.cli import processes as commands
from s2s.errors import S2SError
from tests.cli.processes import unmeasured
from tests.reliability.runs import assert_same
from tests.reliability.together import AUDIO, TEXT, Folders, losses, with_training


def command(data: Path, run: Path, config: dict[str, Any], processes: int) -> list[str]:
    """The command line of a run with that config."""
    path = run.with_suffix(".toml")
    path.write_text(tomli_w.dumps(config))
    arguments = ["train", str(path), "--data", str(data), "--output", str(run), "--threads", "1"]
    return [sys.executable, "-m", "s2s", *arguments, *(["--processes", str(processes)] if processes > 1 else [])]


def call(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=200, env=unmeasured())


@contextmanager
def trained_for_a_while(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """The process of a training after its first validation."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=unmeasured()) as process:
        assert process.stderr is not None
        while "dev:" not in (line := process.stderr.readline()):
            assert process.poll() is None, line
        yield process


def ended(process: "subprocess.Popen[str]") -> str:
    """What a process still says until it ends."""
    assert process.stderr is not None
    rest = process.stderr.read()
    process.wait(timeout=100)
    return rest


def test_the_command_line_starts_processes_and_a_signal_stops_all(folders: Folders, tmp_path: Path) -> None:
    again = command(folders["text"], tmp_path / "run", with_training(TEXT, max_updates=100_000), 2)
    with trained_for_a_while(again) as process:
        refused = call(again)
        assert (refused.returncode, refused.stderr.count("error:")) == (2, 1), refused.stderr
        assert "Another process trains in" in refused.stderr
        process.send_signal(signal.SIGTERM)
        rest = ended(process)
    assert process.returncode == 143, rest
    assert rest.count("SIGTERM") == 1
    assert rest.count("the same command goes on from there") == 1


def test_a_process_that_hears_no_signal_does_not_keep_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As one that waits within torch for another that is gone."""
    monkeypatch.setattr(commands, "PATIENCE", 0.3)
    deaf = tmp_path / "deaf"

    def work() -> None:
        if os.environ["RANK"] == "1":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            deaf.write_text(str(os.getpid()))
            time.sleep(60)
        while not deaf.exists():
            time.sleep(0.01)
        raise S2SError("broken")

    began = time.monotonic()
    with pytest.raises(S2SError, match="broken"):
        commands.run_together(2, work)
    assert 0.3 < time.monotonic() - began < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int(deaf.read_text()), 0)


def test_two_signals_to_all_stop_all_at_once(folders: Folders, tmp_path: Path) -> None:
    """Also the processes that load data."""
    endless = command(folders["audio"], tmp_path / "run", with_training(AUDIO, max_updates=100_000), 2)
    with subprocess.Popen(
        [*endless, "--workers", "2"], stderr=subprocess.PIPE, text=True, env=unmeasured(), start_new_session=True
    ) as process:
        assert process.stderr is not None
        while "dev:" not in process.stderr.readline():
            pass
        os.killpg(process.pid, signal.SIGTERM)
        time.sleep(0.01)
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)
        process.stderr.read()  # ends when nobody can write any more
    assert process.returncode in (143, -signal.SIGTERM)


def child(process: "subprocess.Popen[str]") -> int:
    """A process that trains beside the first, or for torchrun."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


@pytest.mark.long
def test_a_killed_process_ends_the_run(folders: Folders, tmp_path: Path) -> None:
    endless = command(folders["text"], tmp_path / "run", with_training(TEXT, max_updates=100_000), 2)
    with trained_for_a_while(endless) as process:
        os.kill(child(process), signal.SIGKILL)
        rest = ended(process)
    assert process.returncode == 1
    assert rest.endswith(
        "error: Another process of this job ended. The same command tries again; training goes on from its last "
        "checkpoint.\n"
    )
    assert "Traceback" not in rest


def torchrun(command: list[str], *options: str) -> list[str]:
    """The command started by torchrun, as two processes."""
    return [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", *options, *command[1:]]


@pytest.mark.long
def test_torchrun_trains_as_processes_do(folders: Folders, tmp_path: Path) -> None:
    config = with_training(TEXT, max_updates=20)
    own = call(command(folders["text"], tmp_path / "own", config, 2))
    assert own.returncode == 0, own.stderr
    done = call(torchrun(command(folders["text"], tmp_path / "run", config, 1), "--standalone"))
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "own", tmp_path / "run")
    refused = call(torchrun(command(folders["text"], tmp_path / "run", config, 2), "--standalone"))
    assert "--processes has no effect under torchrun" in refused.stderr


@pytest.mark.long
def test_torchrun_goes_on_after_a_process_was_killed(folders: Folders, tmp_path: Path) -> None:
    run = tmp_path / "run"
    once_more = ["--max-restarts=1", "--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0"]
    with trained_for_a_while(
        torchrun(command(folders["text"], run, with_training(TEXT, max_updates=300), 1), *once_more)
    ) as process:
        os.kill(child(process), signal.SIGKILL)
        rest = ended(process)
    assert process.returncode == 0, rest
    assert "going on at update" in rest
    assert json.loads((run / "manifest.json").read_text())["finished"]
    updates = [row[1] for row in losses(run) if row[0] == "loss"]
    assert updates == sorted(updates)
    assert updates[-1] == 300
