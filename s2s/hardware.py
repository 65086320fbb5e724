"""What this machine computes with: its devices, their arithmetic, the number of threads."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING

from s2s import ranks
from s2s.errors import UsageError

if TYPE_CHECKING:
    import torch


def open_device(name: str, threads: int | None = None) -> "torch.device":
    """The device of that name, and with `threads` so many threads of the CPU for the whole process.

    Of several processes on this machine each has its own GPU where `name` is cuda, and without `threads` its share of
    the cores.

    UsageError: this machine has no such device, or threads are asked for on one that has no use for them.
    """
    import torch

    processes = ranks.local_count()
    try:
        device = torch.device(f"cuda:{ranks.local_rank()}" if name == "cuda" and processes > 1 else name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, ImportError) as error:
        raise UsageError(
            f"The device {name!r} cannot be used here. `s2s doctor` lists the devices of this machine."
        ) from error
    if device.type in ("meta", "mps"):
        why = "cannot compute" if device.type == "meta" else "has no 64-bit numbers, which sums need here"
        raise UsageError(f"The device {name!r} {why}. `s2s doctor` lists the devices of this machine.")
    if threads is not None:
        if threads < 1:
            raise UsageError(f"The number of threads must be 1 or more (it is {threads}).")
        if device.type != "cpu":
            raise UsageError(f"A number of threads has no effect on the device {name}: leave it out.")
        torch.set_num_threads(threads)
    elif processes > 1 and device.type == "cpu":
        torch.set_num_threads(max(1, _threads() // processes))
    return device


def keep_memory() -> None:
    """Let the C library keep the memory of tensors that are gone for those that come, up to a gibibyte.

    By default glibc gives it back to the system, which hands it out again page by page, each filled with zeros: a tenth
    of the time of a translation. It holds for the whole process, and is for those that s2s has for itself. Other
    libraries, and what the user has set, stay as they are.
    """
    trim_threshold, mmap_threshold = -1, -3  # parameters of mallopt(3)
    if not {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"} & os.environ.keys():
        with suppress(OSError, AttributeError, TypeError):  # no such library, or no such function in it
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(trim_threshold, 2**30)
            mallopt(mmap_threshold, 2**25)  # the largest that it takes


@cache
def _threads() -> int:
    """The threads of torch before this module changed them."""
    import torch

    return torch.get_num_threads()


@contextmanager
def one_thread() -> Iterator[None]:
    """A context in which torch computes on the CPU with one thread."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keep_threads_awake() -> None:
    """Let OpenMP's threads spin between products instead of sleeping; only before torch is imported has it an effect.

    An update of a recurrent model is thousands of short products. A thread that sleeps between them loses its core to
    any other process and gets it back milliseconds later: training beside one busy process was 4 times slower. What
    the user has set in the environment stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "active")


def has_bfloat16(device: "torch.device") -> bool:
    """Whether the device computes in bfloat16 by itself, so that it is faster than in float32."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def has_int8() -> bool:
    """Whether the processor multiplies numbers of eight bits by itself, so that it is faster than in float32."""
    import torch

    return bool(torch.cpu._is_vnni_supported())
