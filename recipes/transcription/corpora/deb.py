"""Debian packages, opened without root and without Debian's tools (those are needed for Zstandard alone).

A .deb is an `ar` archive whose member `data.tar.*` holds the files (deb(5)). Whatever a package says, nothing is
written outside of the folder: only regular files are unpacked, links and devices never.
"""

import bz2
import gzip
import io
import lzma
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from s2s.errors import DataError

MAGIC = b"!<arch>\n"
HEADER = 60
LARGEST_FILE = 64 * 1024**2
LARGEST_PACKAGE = 512 * 1024**2
BLOCK = 64 * 1024

OPENERS: dict[str, Callable[[io.BytesIO], io.BufferedIOBase]] = {
    "data.tar": lambda stream: stream,
    "data.tar.xz": lzma.LZMAFile,
    "data.tar.gz": lambda stream: gzip.GzipFile(fileobj=stream),
    "data.tar.bz2": bz2.BZ2File,
}


def unpack(package: Path, folder: Path) -> None:
    """Write the regular files of a package into `folder`, which may have files of other packages.

    DataError: the file is no package, is damaged or too large, or names a file outside of the folder.
    """
    total = 0
    try:
        with _archive(package) as archive:
            for member in archive:
                if member.isreg():
                    total += member.size
                    _check_size(member, total, package)
                    _write(archive, member, folder / _inside(member.name, package))
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise DataError(f"{package} cannot be unpacked: {error}. Fetch it again.") from error


@contextmanager
def _archive(package: Path) -> Iterator[tarfile.TarFile]:
    """The files of a package as a stream, which is read once and to its very end, where checksums are."""
    name, data = _read_data(package)
    with _unpacked(name, data, package) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            yield archive
        while stream.read(BLOCK):
            pass


def _read_data(package: Path) -> tuple[str, bytes]:
    """The name and content of the member `data.tar.*`."""
    with package.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise DataError(f"{package} is not a Debian package: it does not begin with {MAGIC!r}.")
        while len(header := stream.read(HEADER)) == HEADER:
            name, size = header[:16].decode("latin-1").rstrip().rstrip("/"), header[48:58].strip()
            if not size.isdigit() or stream.tell() + int(size) > package.stat().st_size:
                break
            if name.startswith("data.tar"):
                return name, stream.read(int(size))
            stream.seek(int(size) + int(size) % 2, 1)
    raise DataError(f"{package} is damaged or incomplete: it has no whole data.tar. Fetch it again.")


@contextmanager
def _unpacked(name: str, data: bytes, package: Path) -> Iterator[IO[bytes] | io.BufferedIOBase]:
    """The archive that was packed in one of the ways that dpkg knows."""
    if name.endswith(".zst"):
        with _unpacked_by_dpkg(package) as pipe:
            yield pipe
        return
    if name not in OPENERS:
        raise DataError(f"{package} has its files in {name}, which is not one of {', '.join(OPENERS)} or data.tar.zst.")
    with OPENERS[name](io.BytesIO(data)) as stream:
        yield stream


@contextmanager
def _unpacked_by_dpkg(package: Path) -> Iterator[IO[bytes]]:
    if shutil.which("dpkg-deb") is None:
        raise DataError(
            f"{package} is packed with Zstandard, which Python cannot read, and there is no dpkg-deb to do it. Unpack "
            "it elsewhere (dpkg-deb -x PACKAGE FOLDER) and give the folder with --from-dir."
        )
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        yield process.stdout
        if process.wait():
            raise DataError(f"{package} cannot be unpacked: dpkg-deb ended with {process.returncode}. Fetch it again.")


def _check_size(member: tarfile.TarInfo, total: int, package: Path) -> None:
    if member.size > LARGEST_FILE or total > LARGEST_PACKAGE:
        raise DataError(
            f"{package} is larger than any package of prompts ({LARGEST_FILE // 1024**2} MiB for a file, "
            f"{LARGEST_PACKAGE // 1024**2} MiB in all) at {member.name!r}. Is it the right one?"
        )


def _inside(name: str, package: Path) -> PurePosixPath:
    """A relative path that stays within the folder that it is put into."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path == PurePosixPath():
        raise DataError(f"{package} names a file outside of its folder, {name!r}: nothing more was unpacked.")
    return path


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    """A new file: one that is there already is an error, so that no package writes through what another one made."""
    content = archive.extractfile(member)
    assert content is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        shutil.copyfileobj(content, file, BLOCK)
