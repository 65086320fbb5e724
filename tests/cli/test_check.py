"""tools/check: a failed step is seen in the summary and the others run all the same."""

import sys
from pathlib import Path

from tests.cli.tools import load

check = load("check")


def test_the_steps_and_their_order() -> None:
    names = [name for name, _ in check.plan("python", full=False, workers=2)]
    assert names == ["format", "lint", "types", "import floors", "tests", "coverage"]


def test_only_the_full_check_runs_the_long_tests() -> None:
    tests = dict(check.plan("python", full=False, workers=2))["tests"][-1]
    full = dict(check.plan("python", full=True, workers=2))["tests"][-1]
    assert full == [*tests, "-m", ""]


def test_a_step_passes_when_all_its_commands_do(tmp_path: Path) -> None:
    good, bad = [sys.executable, "-c", "print('fine')"], [sys.executable, "-c", "raise SystemExit(1)"]
    never = [sys.executable, "-c", "open('touched', 'w')"]
    assert check.run("one", [good, good], tmp_path).passed
    assert not check.run("two", [bad, never], tmp_path).passed
    assert not (tmp_path / "touched").exists()


def test_the_summary_holds_the_closing_line_of_the_tests() -> None:
    closing = check.remark(["....\n", "=== 412 passed, 3 deselected in 98.21s ===\n", "something after\n"])
    steps = [check.Step("lint", True, 1.0), check.Step("tests", True, 99.0, closing)]
    shown = check.summary(steps)
    assert "412 passed, 3 deselected in 98.21s" in shown
    assert shown.splitlines()[-1].endswith("all passed")


def test_a_failed_step_is_named_last() -> None:
    steps = [check.Step("lint", False, 1.0), check.Step("tests", True, 99.0, "412 passed in 98.21s")]
    assert check.summary(steps).splitlines()[-1].endswith("FAILED: lint")


def test_the_coverage_is_told_in_the_summary() -> None:
    assert check.remark(["Name  Stmts  Miss  Cover\n", "TOTAL   3101    212    93%\n"]) == "93% of the lines"
