"""Tiny recordings and packages."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import soundfile

Record = Callable[..., Path]
Package = Callable[..., Path]


@pytest.fixture
def record() -> Record:
    """Write a recording of so many seconds, whose samples all have one value."""

    def write(path: Path, seconds: float = 0.5, rate: int = 8000, value: int = 100, channels: int = 1) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (round(seconds * rate), channels) if channels > 1 else round(seconds * rate)
        kind = {".sph": "NIST"}.get(path.suffix, "WAV")
        soundfile.write(str(path), numpy.full(shape, value, dtype="int16"), rate, subtype="PCM_16", format=kind)
        return path

    return write


def tar_of(files: dict[str, bytes], *others: tarfile.TarInfo, compression: str = "xz") -> bytes:
    """An archive with these files, and with members that have no content."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in others:
            archive.addfile(member)
    return stream.getvalue()


def ar_of(members: dict[str, bytes]) -> bytes:
    """An `ar` archive as dpkg writes it."""
    pieces = [b"!<arch>\n"]
    for name, content in members.items():
        pieces.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode() + content)
        pieces.append(b"\n" * (len(content) % 2))
    return b"".join(pieces)


@pytest.fixture
def package() -> Package:
    """Write a Debian package that holds these files."""

    def write(
        path: Path, files: dict[str, bytes], *others: tarfile.TarInfo, compression: str = "xz", odd: bool = False
    ) -> Path:
        control = b"control" if odd else b"controls"
        data = tar_of(files, *others, compression=compression)
        members = {"debian-binary": b"2.0\n", "control.tar.xz": control, f"data.tar.{compression}": data}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ar_of(members))
        return path

    return write
