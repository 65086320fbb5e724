"""Packages from a Debian or Ubuntu archive by `apt-get`, without root and without touching the system's own state."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from s2s.errors import DataError
from s2s.log import say

SECONDS = 300
"""How long apt-get may take for the lists, and again for the packages."""

CONFIG = """\
Dir::State "{folder}/state";
Dir::State::lists "{folder}/state/lists";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "{folder}/cache";
Dir::Log "{folder}/log";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
"""Lists and caches of its own, beside the sources and keys of the system, whose hooks are for its own lists."""


def fetch(names: Sequence[str], folder: Path, advice: str) -> list[Path]:
    """The packages in `folder`, fetched there unless they are there from before; apt checks them by its signed lists.

    DataError: apt-get is not there, takes too long or cannot get them; it ends with `advice`.
    """
    present = [found(name, folder) for name in names]
    packages = [path for path in present if path is not None]
    if len(packages) == len(names):
        say(f"using {' and '.join(path.name for path in packages)} from {folder}")
        return packages
    if shutil.which("apt-get") is None:
        raise DataError(f"There is no apt-get here to fetch {' and '.join(names)} with. {advice}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".apt-", dir=folder) as temporary:
        _download(names, Path(temporary).resolve(), advice)
        fetched = [_fetched(name, Path(temporary), advice) for name in names]
        return [path.replace(folder / path.name) for path in fetched]


def found(name: str, folder: Path) -> Path | None:
    """The package of that name in a folder, if it is there; DataError when there are several versions of it."""
    versions = sorted(folder.glob(f"{name}_*.deb"))
    if len(versions) > 1:
        raise DataError(f"{folder} has {' and '.join(path.name for path in versions)}: leave one of them there.")
    return versions[0] if versions else None


def _download(names: Sequence[str], folder: Path, advice: str) -> None:
    """Run `apt-get update`, whose result does not matter while the packages can be had, and `apt-get download`."""
    folder.chmod(0o755)  # apt started by root fetches as a user of its own
    for name in ("state/lists/partial", "cache/archives/partial", "log"):
        (folder / name).mkdir(parents=True)
    config = folder / "apt.conf"
    config.write_text(CONFIG.format(folder=folder), encoding="utf-8")
    say("apt-get update (lists of packages, into a temporary folder)")
    _run(["update"], folder, advice)
    say(f"apt-get download {' '.join(names)}")
    status = _run(["download", *names], folder, advice)
    if status:
        raise DataError(f"apt-get could not fetch {' and '.join(names)} (exit status {status}). {advice}")


def _run(arguments: Sequence[str], folder: Path, advice: str) -> int:
    """The exit status of apt-get, all of whose output goes to standard error."""
    command = ["apt-get", "-q", f"-c={folder / 'apt.conf'}", *arguments]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        return subprocess.run(
            command, cwd=folder, env=environment, stdout=sys.stderr, timeout=SECONDS, check=False
        ).returncode
    except subprocess.TimeoutExpired as error:
        raise DataError(f"apt-get {arguments[0]} took more than {SECONDS} seconds. {advice}") from error


def _fetched(name: str, folder: Path, advice: str) -> Path:
    path = found(name, folder)
    if path is None:
        raise DataError(f"apt-get ended well, but {name} is not there. {advice}")
    return path
