"""`s2s doctor`: what this machine has, what is missing, and the cure."""

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from packaging.requirements import Requirement

import s2s


@dataclass(frozen=True)
class Package:
    """A package that s2s asks for: the version here if any, what is asked, and the extra that asks for it, if any."""

    name: str
    installed: str | None
    required: str
    extra: str | None
    fits: bool

    @property
    def cure(self) -> str:
        """The command that mends it."""
        return f'pip install "{self.name}{self.required}"'


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of a page.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Versions, devices, and what is missing on this machine.

    Ends with exit code 1 when something is missing that every use of s2s needs.
    """
    try:
        packages, problems = installed_packages(importlib.metadata.requires("s2s") or []), []
    except importlib.metadata.PackageNotFoundError:
        packages, problems = (
            [],
            ["s2s runs from its source folder and is not installed: pip install -e . in that folder"],
        )
    torch_facts, torch_problem = inspect_torch()
    problems += [f"{package.name} {_state(package)}: {package.cure}" for package in packages if is_problem(package)]
    problems += [torch_problem] if torch_problem else []
    found = {
        "s2s": s2s.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": [asdict(package) for package in packages],
        **torch_facts,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "problems": problems,
    }
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else page(found, packages))
    if problems:
        ctx.exit(1)


def installed_packages(requirements: Sequence[str]) -> list[Package]:
    """What s2s's own metadata asks for, beside what is installed; the developers' tools are left out."""
    return [
        _look_up(Requirement(text), extra) for text in requirements if (extra := _extra(Requirement(text))) != "dev"
    ]


def is_problem(package: Package) -> bool:
    """Whether s2s cannot work like this: a package that only an extra asks for may be missing."""
    return not package.fits and (package.extra is None or package.installed is not None)


def inspect_torch() -> tuple[dict[str, Any], str | None]:
    """Devices, threads and what the processor has for bfloat16; and why torch cannot be imported, if it cannot."""
    try:
        import torch
    except (ImportError, OSError) as error:
        unknown: dict[str, Any] = {"devices": [], "threads": None, "cpu": None, "bfloat16": []}
        return unknown, f"torch cannot be imported ({error}): install it again with pip install --force-reinstall torch"
    devices = ["cpu"]
    devices += [f"cuda:{index} {torch.cuda.get_device_name(index)}" for index in range(torch.cuda.device_count())]
    return {
        "devices": devices,
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "bfloat16": bfloat16_units(Path("/proc/cpuinfo")),
    }, None


def bfloat16_units(description: Path) -> list[str]:
    """Which of the processor's instructions make bfloat16 fast, out of Linux's description of it; empty elsewhere."""
    if not description.exists():
        return []
    flags = set(description.read_text(encoding="ascii", errors="replace").split())
    return [name for name in ("avx512_bf16", "amx_bf16") if name in flags]


def page(found: Mapping[str, Any], packages: Sequence[Package]) -> str:
    """What was found, for people."""
    lines = [
        f"s2s {found['s2s']}, Python {found['python']} ({sys.executable})",
        f"on {found['platform']}, {found['memory_gb']} GB of memory",
        "",
        "packages",
        *(f"  {package.name:15} {_state(package)}" for package in packages),
        "",
        f"devices         {', '.join(found['devices']) or 'unknown'}",
        f"threads         {found['threads'] or 'unknown'} (OMP_NUM_THREADS, or --threads where a command has it)",
        f"CPU             {found['cpu'] or 'unknown'}",
        f"bfloat16        {_bfloat16(found['bfloat16'])}",
        "",
    ]
    if found["problems"]:
        return "\n".join([*lines, "missing", *(f"  {problem}" for problem in found["problems"])])
    return "\n".join([*lines, "Nothing is missing."])


def _look_up(requirement: Requirement, extra: str | None) -> Package:
    """The requirement beside what is installed."""
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return Package(requirement.name, None, str(requirement.specifier), extra, False)
    fits = requirement.specifier.contains(version, prereleases=True)
    return Package(requirement.name, version, str(requirement.specifier), extra, fits)


def _extra(requirement: Requirement) -> str | None:
    """The extra that asks for it, or None when s2s itself does."""
    if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
        return None
    extras = importlib.metadata.metadata("s2s").get_all("Provides-Extra") or []
    return next((name for name in extras if requirement.marker.evaluate({"extra": name})), None)


def _state(package: Package) -> str:
    """The version, and what is wrong with it."""
    needed = f"needs {package.required}" + (f", for the extra `{package.extra}`" if package.extra else "")
    if package.installed is None:
        return f"is not installed ({needed}; {package.cure})" if package.extra else f"is not installed ({needed})"
    return package.installed if package.fits else f"{package.installed} does not fit ({needed})"


def _bfloat16(units: Sequence[str]) -> str:
    """Whether training in bfloat16 pays on this processor."""
    if units:
        return f"fast on this CPU ({', '.join(units)})"
    return "no faster than float32 on this CPU (it has neither AVX512-BF16 nor AMX)"
