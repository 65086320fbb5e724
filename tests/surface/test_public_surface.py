"""Exported names, config keys, options and exit codes are those of surface.json: growth is a decision."""

from collections.abc import Callable, Iterator
from types import UnionType
from typing import get_args

import click

import s2s
from s2s import errors
from s2s.cli.main import cli
from s2s.config import LanguageRunConfig, RunConfig, Section

Frozen = Callable[[str, object], None]


def keys(section: type[Section], prefix: str = "") -> Iterator[str]:
    """The dotted keys of a section and of those in it."""
    for name, field in section.model_fields.items():
        inner = [kind for kind in kinds(field.annotation) if issubclass(kind, Section)]
        if inner:
            yield from keys(inner[0], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def kinds(annotation: object) -> list[type]:
    """The classes in an annotation, those in a union too."""
    members = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return [member for member in members if isinstance(member, type)]


def options(command: click.Command, path: str) -> Iterator[tuple[str, list[str]]]:
    """What each command below `command` takes beside --help: its options, and its arguments in capitals."""
    ctx = click.Context(command, info_name=path)
    taken = [
        "/".join([*parameter.opts, *parameter.secondary_opts])
        if isinstance(parameter, click.Option)
        else str(parameter.name).upper()
        for parameter in command.params
    ]
    yield path, sorted(taken)
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            assert inner is not None
            yield from options(inner, f"{path} {name}")


def tree(error: type[BaseException]) -> Iterator[tuple[str, object]]:
    """An error and all that derive from it, each with its exit code; a signal's depends on the signal."""
    yield error.__name__, "128 + signal" if error is errors.Stopped else getattr(error, "exit_code", None)
    for inner in error.__subclasses__():
        if inner.__module__ == errors.__name__:
            yield from tree(inner)


def test_exported_names(frozen: Frozen) -> None:
    assert all(hasattr(s2s, name) for name in s2s.__all__)
    frozen("exported names", sorted(s2s.__all__))


def test_config_keys(frozen: Frozen) -> None:
    frozen("config keys", sorted({*keys(RunConfig), *keys(LanguageRunConfig)}))


def test_options(frozen: Frozen) -> None:
    frozen("options", dict(options(cli, "s2s")))


def test_exit_codes(frozen: Frozen) -> None:
    frozen("exit codes", dict(tree(errors.S2SError)))
