"""RESULTS.md: one section for each command that was run with --record, replaced when it is run again."""

import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
TITLE = "# Measurements\n\nWritten by the commands of this folder when --record is given.\n"


def publish(text: str, arguments: Sequence[str], threads: int, record: bool, program: str) -> None:
    """Print a result, and with `record` put it into RESULTS.md."""
    print(text, flush=True)
    if record:
        before = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else TITLE
        named = heading(program, arguments)
        RESULTS.write_text(replaced(before, named, f"{facts(threads)}\n\n{text}"), encoding="utf-8")


def heading(program: str, arguments: Sequence[str]) -> str:
    """The command line without what does not matter, by which its section is found again."""
    kept = [word for number, word in enumerate(arguments) if word != "--record" and not _unnamed(arguments, number)]
    return f"## `{' '.join([Path(program).name, *kept])}`"


def _unnamed(arguments: Sequence[str], number: int) -> bool:
    """Whether a word is --environments or what follows it."""
    word, before = arguments[number], arguments[number - 1] if number else ""
    return word.split("=")[0] == "--environments" or before == "--environments"


def replaced(text: str, named: str, body: str) -> str:
    """The text with the section of that heading replaced, or added at its end."""
    first, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    section = f"{named}\n\n{body.strip()}\n"
    kept = [one.rstrip("\n") + "\n" for one in sections]
    places = [number for number, one in enumerate(kept) if one.split("\n", 1)[0] == named]
    if places:
        kept[places[0]] = section
    else:
        kept.append(section)
    return "\n".join([first.rstrip("\n") + "\n", *kept])


def facts(threads: int) -> str:
    """When, of what and on what was measured."""
    lines = {
        "date": date.today().isoformat(),
        "commit": commit(),
        "processor": f"{processor()}, {_cores()} cores",
        "threads": str(threads),
        "torch": version("torch"),
    }
    return "\n".join(f"- {name}: {value}" for name, value in lines.items())


def commit(root: Path = ROOT) -> str:
    """The commit that is checked out, and whether tracked files differ from it; unknown outside of a repository."""
    try:
        name = _git(root, "rev-parse", "--short=10", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", "s2s")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{name} with changes" if changed else name


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The name of the processor."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def _cores() -> int:
    from s2s.hardware import cores

    return cores()
