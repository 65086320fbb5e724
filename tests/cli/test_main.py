"""The command `s2s` itself: its help, its table of commands, and what each kind of error becomes."""

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType

import click
import pytest

import s2s
from s2s.cli import main as program
from s2s.errors import ConfigError, DataError, Stopped
from tests.cli.processes import unmeasured

Behaviour = Callable[[], object]


def run_python(code: str, **options: object) -> subprocess.CompletedProcess[str]:
    """What a fresh interpreter does with some code."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, **options)


@pytest.fixture
def outcome(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Behaviour], tuple[int, str]]:
    """Exit code and standard error of `s2s try`, a command that does what it is told."""
    before = signal.getsignal(signal.SIGTERM)

    def run(behaviour: Behaviour) -> tuple[int, str]:
        module = ModuleType("a_command")
        module.command = click.Command("try", callback=behaviour)
        monkeypatch.setitem(sys.modules, "a_command", module)
        monkeypatch.setitem(program.COMMANDS, "try", ("a_command", "Try."))
        status = program.main(["try"])
        signal.signal(signal.SIGTERM, before)
        return status, capsys.readouterr().err

    return run


def failing(error: BaseException) -> Behaviour:
    """A command that raises `error`."""

    def fail() -> None:
        raise error

    return fail


def test_help_comes_at_once() -> None:
    command = [sys.executable, "-m", "s2s", "--help"]
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, check=True, env=unmeasured)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(seconds) < 0.3


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in program.COMMANDS)])
def test_help_of_every_command_imports_no_heavy_package(arguments: list[str]) -> None:
    code = f"""
import sys
from s2s.cli.main import main
assert main({arguments!r}) == 0
heavy = {{"torch", "datasets", "sacrebleu", "matplotlib", "sentencepiece", "pandas"}} & set(sys.modules)
print(heavy, file=sys.stderr)
sys.exit(bool(heavy))
"""
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: s2s")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--version"]) == 0
    assert s2s.__version__ in capsys.readouterr().out


def test_a_mistyped_command_gets_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["transalte"]) == 2
    assert "error: there is no command 'transalte': did you mean translate?" in capsys.readouterr().err


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("Usage: s2s")
    assert "error:" not in shown


def test_a_wrong_option_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["doctor", "--colour"]) == 2
    shown = capsys.readouterr().err
    assert "Usage: s2s doctor" in shown
    assert "--colour" in shown


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (DataError("train.de has 3 lines."), 1, "error: train.de has 3 lines.\n"),
        (ConfigError("x.toml: unknown key."), 2, "error: x.toml: unknown key.\n"),
        (Stopped("Saved.", signal.SIGTERM), 143, "Saved.\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "error: the output: No space left on device.\n"),
        (KeyboardInterrupt(), 130, "\nerror: stopped.\n"),
        (PermissionError(13, "Permission denied", "/out"), 1, "error: /out: Permission denied.\n"),
    ],
)
def test_errors_become_one_line_and_an_exit_code(
    outcome: Callable[[Behaviour], tuple[int, str]], error: BaseException, status: int, message: str
) -> None:
    assert outcome(failing(error)) == (status, message)


def test_a_missing_package_is_named(outcome: Callable[[Behaviour], tuple[int, str]]) -> None:
    status, message = outcome(failing(ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")))
    assert status == 1
    assert "package matplotlib is not installed" in message


def test_a_bug_says_that_it_is_one_and_hides_its_traceback(
    outcome: Callable[[Behaviour], tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, message = outcome(failing(ZeroDivisionError("division by zero")))
    assert status == 1
    assert message.startswith("error: this is a bug in s2s (ZeroDivisionError: division by zero)")
    assert "Traceback" not in message
    monkeypatch.setenv("S2S_DEBUG", "1")
    assert "Traceback" in outcome(failing(ZeroDivisionError("division by zero")))[1]


def test_a_command_can_end_with_a_code_of_its_own(outcome: Callable[[Behaviour], tuple[int, str]]) -> None:
    assert outcome(lambda: click.get_current_context().exit(3)) == (3, "")


def test_what_a_command_returns_is_no_exit_code(outcome: Callable[[Behaviour], tuple[int, str]]) -> None:
    assert outcome(lambda: 7) == (0, "")


COMMAND = """
import sys, time
from types import ModuleType
import click
from s2s.cli.main import COMMANDS, main
def behave():
    {behaviour}
module = sys.modules["a_command"] = ModuleType("a_command")
module.command = click.Command("try", callback=behave)
COMMANDS["try"] = ("a_command", "Try.")
sys.exit(main(["try"]))
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_cleans_up_and_ends_with_its_code(number: signal.Signals, status: int) -> None:
    behaviour = """
    try:
        print("ready", flush=True)
        for _ in range(600): time.sleep(0.1)
    finally:
        print("cleaned up", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND.format(behaviour=behaviour)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=unmeasured(),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    rest, errors = process.communicate(timeout=30)
    assert (rest, process.returncode) == ("cleaned up\n", status)
    assert "Traceback" not in errors


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_goes_away_is_told_nothing(lines: int) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    behaviour = f'sys.stdout.writelines("line\\n" for _ in range({lines}))'
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-c", COMMAND.format(behaviour=behaviour)],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")


def complete(words: str, shell: str = "bash_complete") -> str:
    """What the shell is offered after `words`."""
    environment = {**os.environ, "_S2S_COMPLETE": shell, "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    command = [sys.executable, "-c", "import sys; from s2s.cli.main import main; sys.exit(main())"]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_shell_completion_offers_commands_and_their_options() -> None:
    assert complete("s2s tr") == "plain,train\nplain,translate\nplain,transcribe\n"
    assert "plain,--version" in complete("s2s --")
    assert complete("s2s doctor --j") == "plain,--json\n"
    assert "_S2S_COMPLETE=bash_complete" in complete("", "bash_source")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("translate nowhere <&-", "error: nowhere does not exist."),
        ("doctor >&-", "error: Standard output is closed: there is no place for results."),
    ],
)
def test_closed_streams_are_no_bugs(command: str, message: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m s2s {command}"], capture_output=True, text=True, check=False
    )
    assert done.stderr.startswith(message)
    assert done.returncode in (1, 2)
