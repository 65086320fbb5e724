"""tools/environment.py: when the virtual environment is made, installed into, or left as it is."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.cli.tools import load

environment = load("environment.py")

PIP = """#!/bin/sh
echo "$PIP_EXTRA_INDEX_URL|$*" >> "{log}"
case "$*" in *install*) exit {status};; esac
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with an environment whose pip only notes what it is asked for."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "constraints.txt").write_text("click==8.5.1\n", encoding="utf-8")
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = s2s\n", encoding="utf-8")
    place_pip(tmp_path, 0)
    return tmp_path


def place_pip(root: Path, status: int) -> None:
    """Put a pip into the environment whose installations end with `status`."""
    folder = root / ".venv" / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    (root / ".venv" / "pyvenv.cfg").write_text("", encoding="utf-8")
    (folder / "python").write_text(PIP.format(log=root / "log", status=status), encoding="utf-8")
    (folder / "python").chmod(0o755)


def installations(root: Path) -> list[str]:
    """What pip was asked to install, with the extra index in front."""
    log = root / "log"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [line for line in lines if "install" in line]


def test_it_installs_once_with_the_pinned_versions(root: Path) -> None:
    python, changed = environment.prepare(["plot"], False, root)
    assert (python, changed) == (root / ".venv" / "bin" / "python", True)
    assert environment.prepare(["plot"], False, root) == (python, False)
    (installation,) = installations(root)
    assert f"--constraint {root / 'tools' / 'constraints.txt'} --editable .[plot]" in installation


def test_more_extras_are_added_to_those_there_are(root: Path) -> None:
    environment.prepare(["plot"], False, root)
    environment.prepare(["dev"], False, root)
    environment.prepare(["plot"], False, root)
    assert [line.split()[-1] for line in installations(root)] == [".[plot]", ".[dev,plot]"]


@pytest.mark.parametrize("name", ["setup.cfg", "tools/constraints.txt"])
def test_changed_requirements_are_installed(root: Path, name: str) -> None:
    environment.prepare(["plot"], False, root)
    with (root / name).open("a", encoding="utf-8") as file:
        file.write("tqdm==4.70.1\n")
    assert environment.prepare(["plot"], False, root)[1]
    assert len(installations(root)) == 2


def test_a_failed_installation_is_told_and_tried_again(root: Path) -> None:
    place_pip(root, 1)
    with pytest.raises(environment.ToolError, match="pip could not install"):
        environment.prepare(["plot"], False, root)
    place_pip(root, 0)
    assert environment.prepare(["plot"], False, root)[1]


@pytest.mark.parametrize(
    ("cpu_torch", "before", "index"),
    [
        (False, None, ""),
        (False, "https://mine.example/simple", "https://mine.example/simple"),
        (True, None, "https://download.pytorch.org/whl/cpu"),
        (True, "https://mine.example/simple", "https://mine.example/simple https://download.pytorch.org/whl/cpu"),
    ],
)
def test_a_cpu_only_torch_can_be_asked_for(
    root: Path, monkeypatch: pytest.MonkeyPatch, cpu_torch: bool, before: str | None, index: str
) -> None:
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    if before:
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", before)
    environment.prepare([], cpu_torch, root)
    (installation,) = installations(root)
    assert installation.split("|")[0] == index
    assert os.environ.get("PIP_EXTRA_INDEX_URL") == before


def test_a_folder_that_is_no_environment_is_not_touched(root: Path) -> None:
    (root / ".venv" / "bin" / "python").unlink()
    (root / ".venv" / "pyvenv.cfg").unlink()
    (root / ".venv" / "treasure").write_text("mine", encoding="utf-8")
    with pytest.raises(environment.ToolError, match="is no virtual environment"):
        environment.prepare([], False, root)
    assert (root / ".venv" / "treasure").exists()


def test_a_half_made_environment_is_made_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    monkeypatch.setattr(environment, "_install", lambda *arguments: None)
    python, changed = environment.prepare([], False, root)
    assert changed
    assert environment._works(python)


def test_a_python_without_venv_is_told_the_cure(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare = tmp_path / "bare-python"
    bare.write_text("#!/bin/sh\necho 'No module named venv' >&2\nexit 1\n", encoding="utf-8")
    bare.chmod(0o755)
    (root / ".venv" / "bin" / "python").unlink()
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(environment.ToolError, match="apt install python3-venv"):
        environment.prepare([], False, root)


def test_the_marker_is_written_last(root: Path) -> None:
    place_pip(root, 1)
    with pytest.raises(environment.ToolError):
        environment.prepare(["plot"], False, root)
    assert not (root / ".venv" / "installed.json").exists()
    place_pip(root, 0)
    environment.prepare(["plot"], False, root)
    assert json.loads((root / ".venv" / "installed.json").read_text(encoding="utf-8"))["extras"] == ["plot"]
