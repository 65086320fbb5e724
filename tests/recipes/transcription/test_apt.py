"""Packages by apt: what apt-get is asked for, what stays, and what is said when it fails."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recipes.transcription.corpora import apt
from recipes.transcription.corpora.apt import fetch
from s2s.errors import DataError

ADVICE = "Do it yourself."
Install = Callable[[str], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a shell script called apt-get first on the path; it notes its arguments in the returned file."""

    def write(script: str) -> Path:
        log = tmp_path / "calls"
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "apt-get").write_text(f'#!/bin/sh\necho "$@" >> {log}\ncp "${{2#-c=}}" {log}.conf\n{script}\n')
        (folder / "apt-get").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=":")
        return log

    return write


MAKES_PACKAGES = """
[ $3 = update ] && exit 100
shift 3
for name in "$@"; do echo content > "${name}_1.0-1_all.deb"; done
"""


def test_packages_are_fetched_once_and_nothing_else_stays(tmp_path: Path, install: Install) -> None:
    """A failed update, say of another source, does not matter while the packages come; later calls ask for nothing."""
    log = install(MAKES_PACKAGES)
    folder = tmp_path / "downloads"
    packages = fetch(("one", "two"), folder, ADVICE)
    assert packages == [folder / "one_1.0-1_all.deb", folder / "two_1.0-1_all.deb"]
    assert sorted(folder.iterdir()) == packages
    assert fetch(("one", "two"), folder, ADVICE) == packages
    calls = [line.split() for line in log.read_text().splitlines()]
    assert [call[2:] for call in calls] == [["update"], ["download", "one", "two"]]


def test_apt_keeps_its_lists_and_caches_in_a_folder_of_its_own(tmp_path: Path, install: Install) -> None:
    """Those of the system are neither written nor needed; its hooks are left out."""
    log = install(MAKES_PACKAGES)
    fetch(("one",), tmp_path / "downloads", ADVICE)
    config = Path(f"{log}.conf").read_text().splitlines()
    own = [line.split('"')[1] for line in config if line.startswith(("Dir::State ", "Dir::State::lists", "Dir::Cache"))]
    assert len(own) == 3
    assert all(Path(path).is_relative_to(tmp_path / "downloads") for path in own)
    assert "#clear APT::Update::Post-Invoke-Success;" in config


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("[ $3 = update ]", r"could not fetch one and two \(exit status 1\)"),
        ("exit 0", "ended well, but one is not there"),
        ("exec sleep 60", "apt-get update took more than 0.2 seconds"),
    ],
)
def test_failures_name_the_way_round_and_leave_nothing(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    """No half of a package stays in the folder."""
    install(script)
    monkeypatch.setattr(apt, "SECONDS", 0.2 if "sleep" in script else 60)
    with pytest.raises(DataError, match=message) as caught:
        fetch(("one", "two"), tmp_path / "downloads", ADVICE)
    assert str(caught.value).endswith(ADVICE)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_without_apt_the_way_round_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On other systems."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DataError, match=f"There is no apt-get here to fetch one with. {ADVICE}"):
        fetch(("one",), tmp_path / "downloads", ADVICE)


def test_two_versions_are_not_chosen_from(tmp_path: Path) -> None:
    """A name that begins with another is no version of it."""
    for name in ("one_1.deb", "one-wav_1.deb"):
        (tmp_path / name).touch()
    assert apt.found("one", tmp_path) == tmp_path / "one_1.deb"
    assert apt.found("three", tmp_path) is None
    (tmp_path / "one_2.deb").touch()
    with pytest.raises(DataError, match=r"has one_1\.deb and one_2\.deb: leave one"):
        apt.found("one", tmp_path)
