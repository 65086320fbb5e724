"""The virtual environment in which tools/check and tools/quickstart work: made when missing, its versions pinned.

Standard library only. `.venv/installed.json` is written last and holds what was installed, so that an interrupted
installation is taken up again and a finished one is skipped.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CPU_TORCH_HELP = (
    f"take torch without CUDA from {CPU_INDEX}: about 0.2 GB to download, where PyPI's Linux wheel brings several GB"
)


class ToolError(Exception):
    """What a tool cannot do, and its cure, in whole sentences."""


def prepare(extras: Sequence[str], cpu_torch: bool, root: Path = ROOT) -> tuple[Path, bool]:
    """The Python of `root/.venv` with s2s and `extras` installed, and whether anything had to be done for it."""
    python = root / ".venv" / "bin" / "python"
    marker = root / ".venv" / "installed.json"
    installed = read_json(marker)
    fingerprint = _fingerprint(root)
    known = installed.get("extras", []) if installed.get("fingerprint") == fingerprint else None
    if known is not None and set(extras) <= set(known) and python.exists():
        return python, False
    if not _works(python):
        _make(root / ".venv")
    wanted = sorted({*extras, *(known or [])})
    _install(python, root, wanted, cpu_torch)
    write_json(marker, {"fingerprint": fingerprint, "extras": wanted})
    return python, True


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty when there is no such file or it holds something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file by rename, so that it is there whole or not at all."""
    sibling = path.with_name(path.name + ".new")
    sibling.write_text(json.dumps(content) + "\n", encoding="utf-8")
    sibling.replace(path)


def _fingerprint(root: Path) -> str:
    """A hash of all that decides what gets installed."""
    names = ("setup.cfg", "tools/constraints.txt")
    return hashlib.sha256(b"\0".join((root / name).read_bytes() for name in names)).hexdigest()


def _works(python: Path) -> bool:
    """Whether there is an environment with a pip that answers."""
    if not python.exists():
        return False
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def _make(folder: Path) -> None:
    """Make the environment anew; what stands there is a broken or half-made one, or nothing."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        raise ToolError(f"{folder} is no virtual environment. Move it away and run this again.")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", folder], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise ToolError(
            f"{sys.executable} cannot make a virtual environment with pip. Install its venv and ensurepip modules "
            f"(on Debian and Ubuntu: apt install python3-venv) and run this again.\n{made.stdout}{made.stderr}".rstrip()
        )


def _install(python: Path, root: Path, extras: Sequence[str], cpu_torch: bool) -> None:
    """Install s2s itself, editable, with its dependencies at the pinned versions; pip's own settings are honoured."""
    target = f".[{','.join(extras)}]" if extras else "."
    command: list[str | Path] = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    command += [] if sys.stderr.isatty() else ["--quiet"]
    environment = dict(os.environ)
    if cpu_torch:
        indexes = [environment.get("PIP_EXTRA_INDEX_URL", ""), CPU_INDEX]
        environment["PIP_EXTRA_INDEX_URL"] = " ".join(filter(None, indexes))
    command += ["--constraint", root / "tools" / "constraints.txt", "--editable", target]
    if subprocess.run(command, cwd=root, env=environment, check=False).returncode != 0:
        raise ToolError(
            "pip could not install the packages; its own message stands above. Without a network, give it a folder of "
            "wheels: PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER. What was installed is kept; run this again to go on."
        )
