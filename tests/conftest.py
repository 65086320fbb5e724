"""What all tests share: one thread, no network, nothing written outside of temporary folders."""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="s2s-tests-")
atexit.register(shutil.rmtree, os.environ["HF_HOME"], ignore_errors=True)
os.environ["MPLBACKEND"] = "agg"
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background job, whose children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("s2s", deadline=None, derandomize=True, database=None)
settings.load_profile("s2s")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that accepts a changed public surface."""
    parser.addoption("--freeze", action="store_true", help="write the public surface that is found into surface.json")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Two threads on busy cores can be ten times slower than one, and would change the last bits of sums."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def uncovered() -> Iterator[None]:
    """Long tests of code that others cover, a third faster without the measurement."""
    measuring = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(measuring)


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the project."""
    return Path(__file__).resolve().parent.parent
