"""`s2s doctor`: what it finds missing, and the cure it names."""

import importlib.metadata
import json
import sys
from pathlib import Path

import pytest

from s2s.cli.doctor import bfloat16_units, installed_packages, is_problem
from s2s.cli.main import main


def test_a_complete_machine_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "Nothing is missing." in shown
    for name in ("torch", "sentencepiece", "devices", "threads", "bfloat16"):
        assert name in shown
    assert "pytest" not in shown


def test_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    versions = {package["name"]: package["installed"] for package in found["packages"]}
    assert versions["click"] == importlib.metadata.version("click")
    assert found["problems"] == []
    assert found["devices"][0] == "cpu"
    assert found["threads"] == 1


def test_a_missing_package_is_a_problem_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.metadata.requires", lambda name: ["click>=999", "no-such-package>=1.5", "tqdm>=1"])
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert f'click {importlib.metadata.version("click")} does not fit (needs >=999): pip install "click>=999"' in shown
    assert 'no-such-package is not installed (needs >=1.5): pip install "no-such-package>=1.5"' in shown
    assert main(["doctor", "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 2


def test_what_only_an_extra_asks_for_may_be_missing_but_not_be_too_old() -> None:
    packages = installed_packages(
        ['no-such-package>=1; extra == "plot"', 'click>=999; extra == "plot"', 'no-tool>=1; extra == "dev"']
    )
    assert [(package.name, package.extra, is_problem(package)) for package in packages] == [
        ("no-such-package", "plot", False),
        ("click", "plot", True),
    ]


def test_a_torch_that_cannot_be_imported_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["doctor"]) == 1
    assert "torch cannot be imported" in capsys.readouterr().out


def test_a_source_folder_that_was_not_installed_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def requires(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.requires", requires)
    assert main(["doctor"]) == 1
    assert "pip install -e ." in capsys.readouterr().out


def test_bfloat16_is_read_off_the_processor_s_flags(tmp_path: Path) -> None:
    description = tmp_path / "cpuinfo"
    description.write_text("model name : x\nflags : fpu avx512f avx512_bf16 amx_bf16 amx_tile\n", encoding="ascii")
    assert bfloat16_units(description) == ["avx512_bf16", "amx_bf16"]
    description.write_text("flags : fpu avx512f avx512_vnni\n", encoding="ascii")
    assert bfloat16_units(description) == []
    assert bfloat16_units(tmp_path / "nothing") == []
