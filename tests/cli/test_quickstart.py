"""tools/quickstart: what is skipped, what goes on after an interruption, and what it says."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.tools import TOOLS, load

quickstart = load("quickstart")
PYTHON = sys.executable
RUN, DATA = "runs/ui_strings-en-de", "data/ui_strings-en-de"

RECIPE = {
    "prepare.py": f"""
import pathlib, sys
assert sys.argv[1:] == "ui_strings --languages en-de --output {DATA}".split()
folder = pathlib.Path("{DATA}"); folder.mkdir(parents=True)
(folder / "corpus.json").write_text("{{}}")
""",
    "train.py": f"""
import json, pathlib, sys
assert sys.argv[2:] == "--data {DATA} --output {RUN}".split()
folder = pathlib.Path("{RUN}"); folder.mkdir(parents=True, exist_ok=True)
before = folder / "manifest.json"
(folder / "manifest.json").write_text(json.dumps({{"finished": before.exists()}}))
sys.exit(0 if before.read_text() == '{{"finished": true}}' else 130)
""",
    "evaluate.py": f"""
import pathlib, sys
assert sys.argv[1:] == "{RUN} --data {DATA}".split()
pathlib.Path("{RUN}/results.json").write_text("{{}}")
""",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose recipe is quick: its training is interrupted once."""
    folder = tmp_path / "recipes" / "translation"
    folder.mkdir(parents=True)
    for name, code in RECIPE.items():
        (folder / name).write_text(code, encoding="utf-8")
    return tmp_path


def run_all(root: Path) -> None:
    """All stages, as the program runs them."""
    for stage in quickstart.stages("translation", PYTHON):
        quickstart.run(stage, root)


def test_interrupted_it_goes_on_where_it_stopped(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(quickstart.Stopped) as stopped:
        run_all(root)
    assert (stopped.value.stage, stopped.value.exit_code) == ("train", 130)
    assert f"wrote {DATA}" in capsys.readouterr().out
    run_all(root)
    shown = capsys.readouterr().out
    assert f"skipped: {DATA} is there" in shown
    assert f"wrote {RUN} " in shown
    assert f"wrote {RUN}/results.json" in shown


def test_what_is_there_is_skipped(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / DATA).mkdir(parents=True)
    (root / RUN).mkdir(parents=True)
    (root / DATA / "corpus.json").write_text("{}", encoding="utf-8")
    (root / RUN / "manifest.json").write_text(json.dumps({"finished": True}), encoding="utf-8")
    (root / RUN / "results.json").write_text("{}", encoding="utf-8")
    for name in RECIPE:
        (root / "recipes" / "translation" / name).unlink()
    run_all(root)
    assert capsys.readouterr().out.count("skipped") == 3


@pytest.mark.parametrize("manifest", ['{"finished": false}', "{}", "not json", "[]"])
def test_a_run_that_is_not_finished_is_no_result(root: Path, manifest: str) -> None:
    (root / RUN).mkdir(parents=True)
    (root / RUN / "manifest.json").write_text(manifest, encoding="utf-8")
    assert not quickstart.stages("translation", PYTHON)[1].done(root)


def test_a_failing_stage_ends_with_its_exit_code(root: Path) -> None:
    (root / "recipes" / "translation" / "prepare.py").write_text("raise SystemExit(2)", encoding="utf-8")
    with pytest.raises(quickstart.Stopped) as stopped:
        run_all(root)
    assert (stopped.value.stage, stopped.value.exit_code) == ("prepare", 2)
    assert not (root / DATA).exists()


PATIENT = """
import pathlib, signal, sys, time
def save(number, frame):
    time.sleep(1)
    pathlib.Path("saved").write_text("")
    sys.exit(128 + number)
signal.signal(signal.SIGTERM, save)
signal.signal(signal.SIGINT, save)
pathlib.Path("ready").write_text("")
for _ in range(60): time.sleep(1)
"""
QUICKSTART = """
import pathlib, sys
from tests.cli.tools import load
sys.exit(load("quickstart").patiently([sys.executable, "child.py"], pathlib.Path(sys.argv[1])))
"""


@pytest.mark.parametrize(("number", "group"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_a_stage_that_is_stopped_may_save_first(
    tmp_path: Path, project: Path, number: signal.Signals, group: bool
) -> None:
    (tmp_path / "child.py").write_text(PATIENT, encoding="utf-8")
    process = subprocess.Popen([PYTHON, "-c", QUICKSTART, tmp_path], cwd=project, start_new_session=True)
    while not (tmp_path / "ready").exists():
        assert process.poll() is None
    if group:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    assert process.wait(timeout=30) == 128 + number
    assert (tmp_path / "saved").exists()


def test_a_few_lines_are_shown_beside_their_translations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s2s.py").write_text(
        f"import sys\nassert sys.argv[1:] == ['translate', '{RUN}']\nprint(sys.stdin.read().upper(), end='')\n",
        encoding="utf-8",
    )
    quickstart.translate(PYTHON, tmp_path, "ui_strings-en-de")
    shown = capsys.readouterr().out
    assert "Invalid access token\n   -> INVALID ACCESS TOKEN" in shown


def test_recordings_are_shown_beside_what_is_heard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "data" / "asterisk-en" / "held-out"
    folder.mkdir(parents=True)
    for name in ("two.wav", "one.wav"):
        (folder / name).write_bytes(b"")
    (tmp_path / "s2s.py").write_text(
        "import pathlib, sys\n"
        "assert sys.argv[1:] == ['transcribe', 'runs/asterisk-en', 'data/asterisk-en/held-out']\n"
        "for path in sorted(pathlib.Path(sys.argv[3]).iterdir()): print(path.stem.upper())\n",
        encoding="utf-8",
    )
    quickstart.transcribe(PYTHON, tmp_path, "asterisk-en")
    assert "one.wav\n   -> ONE\n   two.wav\n   -> TWO\n" in capsys.readouterr().out


def test_help_names_downloads_sizes_licences_and_the_cpu_build() -> None:
    done = subprocess.run([PYTHON, TOOLS / "quickstart", "--help"], capture_output=True, text=True, check=True)
    for word in (
        "torch 2.13.0",
        "several GB",
        "68 MB",
        "Apache-2.0",
        "--cpu-torch",
        "PIP_EXTRA_INDEX_URL",
        "12 minutes",
        "CC BY-SA 3.0",
        "apt-get download",
    ):
        assert word in done.stdout


def test_an_old_python_is_told_so() -> None:
    code = f"import sys; sys.version_info = (3, 9, 2); exec(open({str(TOOLS / 'quickstart')!r}).read())"
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr
        == "error: s2s needs Python 3.11 or newer, and this is 3.9: run tools/quickstart with a newer one.\n"
    )


def test_an_unknown_recipe_is_wrong_use() -> None:
    done = subprocess.run([PYTHON, TOOLS / "quickstart", "cooking"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "translation" in done.stderr
