"""torchaudio is found with and without its compiled extension."""

import subprocess
import sys
from types import ModuleType

import pytest

from s2s.audio.backend import torchaudio

BROKEN = """
import sys

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "torchaudio._extension":
            raise OSError("libcudart.so.13: cannot open shared object file")

sys.meta_path.insert(0, Broken())
from s2s.audio.backend import torchaudio
package = torchaudio()
assert package is sys.modules["torchaudio"] is torchaudio()
print(package.transforms.Resample(2, 1).kernel.shape[-1], package.functional.melscale_fbanks(9, 0.0, 4.0, 2, 8).shape)
"""


def test_what_s2s_needs_is_there() -> None:
    package = torchaudio()
    assert package is torchaudio() is sys.modules["torchaudio"]
    assert callable(package.transforms.Resample)
    assert callable(package.functional.melscale_fbanks)


def test_a_compiled_extension_that_cannot_be_loaded_is_done_without() -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "28 torch.Size([9, 2])\n"), done.stderr


def test_a_torchaudio_that_can_be_imported_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ModuleType("torchaudio")
    monkeypatch.setitem(sys.modules, "torchaudio", whole)
    assert torchaudio.__wrapped__() is whole


def test_a_missing_torchaudio_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchaudio", None)
    with pytest.raises(ImportError):
        torchaudio.__wrapped__()
