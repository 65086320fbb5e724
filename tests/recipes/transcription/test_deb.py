"""Packages are unpacked without root, and whatever they hold, nothing is written elsewhere."""

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from recipes.transcription.corpora import deb
from recipes.transcription.corpora.deb import unpack
from s2s.errors import DataError
from tests.recipes.transcription.conftest import Package, ar_of, tar_of

FILES = {"./usr/share/a.txt": b"one", "./usr/share/b/c.wav": b"two" * 1000, "usr/empty": b""}


def files_in(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A member that is no regular file."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


@pytest.mark.parametrize("compression", ["xz", "gz", "bz2"])
@pytest.mark.parametrize("odd", [False, True])
def test_the_files_of_a_package_are_written(tmp_path: Path, package: Package, compression: str, odd: bool) -> None:
    """Whatever its compression, and where a member before them has an odd length, which `ar` pads."""
    unpack(package(tmp_path / "a.deb", FILES, compression=compression, odd=odd), tmp_path / "out")
    assert files_in(tmp_path / "out") == {name.removeprefix("./"): content for name, content in FILES.items()}


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="Debian's own tool makes such packages")
@pytest.mark.parametrize("kind", ["zstd", "xz", "gzip"])
def test_packages_that_debians_own_tool_made(tmp_path: Path, kind: str) -> None:
    """Ubuntu packs with Zstandard."""
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr").mkdir()
    (tree / "usr/a").write_bytes(b"content" * 50_000)
    (tree / "DEBIAN/control").write_text(
        "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: a\n"
    )
    subprocess.run(["dpkg-deb", f"-Z{kind}", "-b", tree, tmp_path / "a.deb"], check=True, capture_output=True)
    unpack(tmp_path / "a.deb", tmp_path / "out")
    assert files_in(tmp_path / "out") == {"usr/a": b"content" * 50_000}


def test_zstandard_without_dpkg_names_the_way_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11 cannot read it."""
    (tmp_path / "a.deb").write_bytes(ar_of({"debian-binary": b"2.0\n", "data.tar.zst": b"\x28\xb5\x2f\xfd"}))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DataError, match=r"Zstandard.*dpkg-deb -x PACKAGE FOLDER.*--from-dir"):
        unpack(tmp_path / "a.deb", tmp_path / "out")


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="it is dpkg-deb that fails")
def test_damaged_zstandard_is_refused(tmp_path: Path) -> None:
    """The tool that reads it fails, and says so by its status or by an archive that ends early."""
    members = {"debian-binary": b"2.0\n", "control.tar.xz": tar_of({}), "data.tar.zst": b"\x28\xb5\x2f\xfd" + b"x" * 99}
    (tmp_path / "a.deb").write_bytes(ar_of(members))
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(tmp_path / "a.deb", tmp_path / "out")


@pytest.mark.parametrize("name", ["../evil", "{outside}/evil", "usr/../../evil", "./../evil"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, package: Package, name: str) -> None:
    """Upwards or absolute; what is outside stays as it was."""
    with pytest.raises(DataError, match="names a file outside of its folder"):
        unpack(package(tmp_path / "in/a.deb", {"good": b"1", name.format(outside=tmp_path): b"2"}), tmp_path / "in/out")
    assert set(files_in(tmp_path)) == {"in/a.deb", "in/out/good"}


def test_links_and_devices_are_left_out(tmp_path: Path, package: Package) -> None:
    """So that nothing can be written through them, nor read."""
    others = [
        member("symbolic", tarfile.SYMTYPE, "/etc/passwd"),
        member("hard", tarfile.LNKTYPE, "good"),
        member("pipe", tarfile.FIFOTYPE),
        member("device", tarfile.CHRTYPE),
    ]
    unpack(package(tmp_path / "a.deb", {"good": b"1"}, *others), tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"good"}


def test_nothing_is_written_through_what_is_there_already(tmp_path: Path, package: Package) -> None:
    """A link at the place of a file, and a file in another's place, are errors; their targets stay as they were."""
    (tmp_path / "out").mkdir()
    (tmp_path / "outside").write_text("before")
    (tmp_path / "out/a").symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(package(tmp_path / "a.deb", {"a": b"after"}), tmp_path / "out")
    assert (tmp_path / "outside").read_text() == "before"
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(package(tmp_path / "b.deb", {"b": b"1", "b/c": b"2"}), tmp_path / "out")


def test_sizes_are_bounded(tmp_path: Path, package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one file and of all together; nothing above the bound is written."""
    monkeypatch.setattr(deb, "LARGEST_FILE", 10)
    monkeypatch.setattr(deb, "LARGEST_PACKAGE", 25)
    unpack(package(tmp_path / "a.deb", {"a": b"1" * 10, "b": b"2" * 10, "c": b"3" * 5}), tmp_path / "fits")
    with pytest.raises(DataError, match=r"larger than any package of prompts.*'a'"):
        unpack(package(tmp_path / "b.deb", {"a": b"1" * 11}), tmp_path / "file")
    with pytest.raises(DataError, match=r"larger than any package of prompts.*'c'"):
        unpack(package(tmp_path / "c.deb", {"a": b"1" * 10, "b": b"2" * 10, "c": b"3" * 6}), tmp_path / "all")
    assert not (tmp_path / "file").exists()
    assert set(files_in(tmp_path / "all")) == {"a", "b"}


def test_damaged_files_are_refused(tmp_path: Path, package: Package) -> None:
    """Cut anywhere, of another kind, without files, or with a flipped byte."""
    whole = package(tmp_path / "a.deb", FILES).read_bytes()
    damaged = tmp_path / "damaged.deb"
    for length in (0, 5, 40, 150, len(whole) // 2 // 2 * 2 + 60, len(whole) - 4):
        damaged.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"damaged\.deb (is not a Debian package|is damaged or incomplete)"):
            unpack(damaged, tmp_path / f"out-{length}")
    damaged.write_bytes(ar_of({"debian-binary": b"2.0\n"}))
    with pytest.raises(DataError, match=r"no whole data\.tar"):
        unpack(damaged, tmp_path / "none")
    data = tar_of(FILES)
    flipped = bytearray(tar_of({"a": bytes(range(256)) * 100}, compression="gz"))
    flipped[len(flipped) // 2] ^= 1
    for kind, content in [("xz", b"not an archive"), ("xz", data[:-40]), ("gz", flipped)]:
        damaged.write_bytes(ar_of({"debian-binary": b"2.0\n", f"data.tar.{kind}": bytes(content)}))
        with pytest.raises(DataError, match="cannot be unpacked"):
            unpack(damaged, tmp_path / f"out-{len(content)}")
    damaged.write_bytes(ar_of({"debian-binary": b"2.0\n", "data.tar.rar": data}))
    with pytest.raises(DataError, match=r"in data\.tar\.rar, which is not one of"):
        unpack(damaged, tmp_path / "rar")
