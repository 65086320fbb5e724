"""`s2s train` as a process of its own: outputs, exit codes, signals, resuming, bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from s2s.cli.main import main
from tests.cli.processes import unmeasured
from tests.digits import prepare_digits

CONFIG = """
[model]
embedding_width = 16
encoder.width = 16
decoder.width = 16

[training]
max_updates = 4
batch_tokens = 400
validation_interval = 2
warmup_updates = 1
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_digits(tmp_path_factory.mktemp("digits"))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(CONFIG)
    return path


def s2s(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "s2s", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})


def test_a_run_from_start_to_translation(data: Path, config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = s2s("train", config, "--data", data, "--output", run, "--threads", 1)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "left" in done.stderr
    assert f"the model is {run}" in done.stderr
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["update"] for row in rows if row["kind"] == "validation"] == [2, 4]
    assert {"loss", "perplexity", "gradient_norm", "tokens_per_second"} <= rows[0].keys()
    again = s2s("train", config, "--data", data, "--output", run)
    assert (again.returncode, again.stderr) == (0, f"{run} is finished: nothing to do.\n")
    translated = subprocess.run(
        [sys.executable, "-m", "s2s", "translate", str(run)],
        input="1 2 3\n\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert translated.stdout.count("\n") == 2
    assert translated.stdout.endswith("\n\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_and_the_same_command_goes_on(
    data: Path, config: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    run = tmp_path / "run"
    config.write_text(
        CONFIG.replace("max_updates = 4", "max_updates = 100000").replace("interval = 2", "interval = 20")
    )
    command = [sys.executable, "-m", "s2s", "train", str(config), "--data", str(data), "--output", str(run)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=unmeasured())
    assert process.stderr is not None
    while "update" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    rest = process.stderr.read()
    assert process.wait() == code
    assert f"{number.name}: stopping after this update" in rest
    stopped = json.loads((run / "last.json").read_text())["update"]
    assert stopped > 0
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=unmeasured())
    assert process.stderr is not None
    assert f"going on at update {stopped:,}" in process.stderr.readline()
    process.kill()
    process.communicate()


def test_a_second_signal_stops_at_once(data: Path, config: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLOW, "train", str(config), "--data", str(data), "--output", str(tmp_path / "run")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=unmeasured())
    assert process.stderr is not None
    while "in the update" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    while "SIGTERM" not in process.stderr.readline():
        assert process.poll() is None
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) in (143, -signal.SIGTERM)
    assert time.monotonic() - started < 20
    process.communicate()


SLOW = """
import sys, time
from s2s.training.steps import Updater

def slow(self, batches, ctc_share):
    print("in the update", file=sys.stderr, flush=True)
    for _ in range(600):
        time.sleep(0.1)

Updater.__call__ = slow
from s2s.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_check_writes_nothing(data: Path, config: Path) -> None:
    before = sorted(config.parent.rglob("*"))
    done = s2s("train", config, "--data", data, "--check", "--set", "model.encoder.cell=gru")
    assert done.returncode == 0, done.stderr
    assert "parameters" in done.stderr
    assert "the run: about 4 updates" in done.stderr
    assert sorted(config.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "model.encodr.width=3"], "unknown key model.encodr: did you mean encoder?"),
        (["--set", "training.learning_rate=-1"], "training.learning_rate: Input should be greater than 0 (it is -1)"),
        (["--set", "training"], "not of the form section.key=value"),
        (["--set", "model.attention.kind=dot", "--set", "model.attention.heads=2"], "heads has no effect on dot"),
        (["--set", "model.attention.kind=dot"], "dot attention needs model.decoder.width (16)"),
        (["--from", "nowhere"], "nowhere does not exist"),
        (["--data", "nowhere"], "nowhere is not prepared data"),
        (["--device", "abacus"], "abacus"),
    ],
)
def test_what_cannot_work_is_said_in_a_sentence(
    data: Path, config: Path, tmp_path: Path, arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    files = ["train", config, "--data", data, "--output", tmp_path / "run", *arguments]
    assert main([str(argument) for argument in files]) in (1, 2)
    said = capfd.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert "bug" not in said
    assert not (tmp_path / "run" / "manifest.json").exists()


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the OpenMP of torch's Linux wheels tells its settings"
)
@pytest.mark.parametrize(("policy", "used"), [({}, "ACTIVE"), ({"OMP_WAIT_POLICY": "passive"}, "PASSIVE")])
def test_threads_spin_unless_the_user_says_otherwise(
    policy: dict[str, str], used: str, data: Path, config: Path
) -> None:
    done = s2s("train", config, "--data", data, "--check", OMP_DISPLAY_ENV="true", **policy)
    assert f"OMP_WAIT_POLICY = '{used}'" in done.stderr


def test_workers_and_check_exclude_each_other(data: Path, config: Path) -> None:
    done = s2s("train", config, "--data", data, "--check", "--workers", "0")
    assert (done.returncode, "--workers has no effect with --check" in done.stderr) == (2, True)


def test_output_and_check_exclude_each_other(data: Path, config: Path, tmp_path: Path) -> None:
    done = s2s("train", config, "--data", data, "--output", tmp_path / "run", "--check")
    assert (done.returncode, "--output has no effect with --check" in done.stderr) == (2, True)
    done = s2s("train", config, "--data", data)
    assert (done.returncode, "--output" in done.stderr) == (2, True)


def test_a_config_that_is_no_toml_is_named(data: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[training\n")
    done = s2s("train", tmp_path / "bad.toml", "--data", data, "--output", tmp_path / "run")
    assert (done.returncode, "bad.toml is not TOML" in done.stderr) == (2, True)
