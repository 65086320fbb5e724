"""Devices and threads: what this machine does not have is refused in a sentence."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import s2s
from s2s import hardware
from s2s.errors import UsageError
from s2s.hardware import open_device


@pytest.mark.parametrize(("name", "message"), [("abacus", "cannot be used here"), ("meta", "cannot compute")])
def test_a_device_that_cannot_compute_is_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_device(name)


def test_the_number_of_threads_is_that_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    assert open_device("cpu", 3).type == "cpu"
    assert chosen == [3]
    with pytest.raises(UsageError, match="must be 1 or more"):
        open_device("cpu", 0)


def test_threads_have_no_effect_on_another_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an accelerator that this machine may not have."""
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)
    with pytest.raises(UsageError, match="no effect on the device cuda"):
        open_device("cuda", 2)


def test_processes_of_one_machine_share_its_cores_however_often_a_device_is_opened() -> None:
    code = """
import torch
from s2s.hardware import open_device
torch.set_num_threads(8)
counts = [(open_device("cpu"), torch.get_num_threads())[1] for _ in range(3)]
open_device("cpu", 3)
print(*counts, torch.get_num_threads())
"""
    environment = {**os.environ, "WORLD_SIZE": "2", "RANK": "1", "LOCAL_WORLD_SIZE": "2", "LOCAL_RANK": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["4", "4", "4", "3"]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
@pytest.mark.parametrize(("set_by_user", "kept"), [({}, True), ({"MALLOC_TRIM_THRESHOLD_": "131072"}, False)])
def test_commands_keep_memory_that_tensors_freed_for_the_next(set_by_user: dict[str, str], kept: bool) -> None:
    """Else the system hands each page out anew: 64 MiB are 16,384 of them, five times."""
    code = """
import resource, torch
from s2s.cli.main import main
main(["--version"])
torch.set_num_threads(1)
for _ in range(5):  # until there is room
    several = [torch.zeros(2**22) for _ in range(4)]
    del several
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    several = [torch.zeros(2**22) for _ in range(4)]
    del several
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    environment = {**os.environ, **set_by_user}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert (int(done.stdout.split()[-1]) < 1000) == kept


def test_a_program_that_loads_a_model_decides_itself(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware.ctypes, "CDLL", lambda _: pytest.fail("the C library was asked for"))
    s2s.load(project / "tests" / "golden" / "text")
