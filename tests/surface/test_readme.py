"""The README's commands, options, config and Python can be typed as they stand."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache

import click
import pytest

import s2s
from s2s.cli.main import COMMANDS, cli
from s2s.config import parse_run
from tests.surface.syntax import ROOT

READMES = ["README.md", *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("recipes/**/README.md")))]


def blocks(readme: str, language: str) -> list[str]:
    """The code blocks of one language in a README."""
    text = (ROOT / readme).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def calls(*names: str) -> list[list[str]]:
    """The words of each command in the shell blocks whose program ends in one of `names`."""
    return [words for words in commands() if words[0].endswith(names)]


def commands() -> Iterator[list[str]]:
    """The words of each command in the shell blocks, without a Python in front."""
    for readme in READMES:
        for block in blocks(readme, "sh"):
            lexer = shlex.shlex(block.replace("\\\n", " ").replace("\n", " ; "), posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, ";"]:
                if set(word) <= set(";|&<>"):
                    if words:
                        yield words
                    words = []
                elif words or not re.search(r"python[\d.]*$", word):
                    words.append(word)


def wrong_use(words: list[str]) -> str | None:
    """Why s2s would refuse these arguments, files apart; None when it would not."""
    command: click.Command = cli
    ctx = click.Context(cli, info_name="s2s", resilient_parsing=True)
    try:
        while isinstance(command, click.Group):
            found = command.get_command(ctx, words[0])
            if found is None:
                return f"there is no command {words[0]}"
            command, words = found, words[1:]
            ctx = click.Context(command, info_name=command.name, parent=ctx)
        given, rest, _ = command.make_parser(ctx).parse_args(list(words))
    except click.UsageError as error:
        return error.format_message()
    missing = [p.name for p in command.params if p.required and given.get(p.name or "") in (None, ())]
    return f"left over: {rest}, missing: {missing}" if rest or missing else None


@pytest.mark.parametrize("words", calls("s2s"), ids=" ".join)
def test_every_s2s_command_can_be_typed(words: list[str]) -> None:
    assert wrong_use(words[1:]) is None


def test_the_search_finds_commands_and_what_is_wrong_with_them() -> None:
    assert len(calls("s2s")) >= 6
    assert "no command" in (wrong_use(["transalte"]) or "")
    assert "--bogus" in (wrong_use(["doctor", "--bogus"]) or "")
    assert "left over" in (wrong_use(["doctor", "word"]) or "")


@cache
def known_options(script: str) -> set[str]:
    """The options that a script names in its help."""
    shown = subprocess.run([sys.executable, ROOT / script, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"--[a-z][a-z-]*", shown))


@pytest.mark.parametrize("words", calls("tools/quickstart", "tools/check", ".py"), ids=" ".join)
def test_every_script_exists_and_knows_its_options(words: list[str]) -> None:
    script, *arguments = words
    assert {word.partition("=")[0] for word in arguments if word.startswith("--")} <= known_options(script)


@pytest.mark.parametrize("block", [block for readme in READMES for block in blocks(readme, "toml")])
def test_every_config_is_one(block: str) -> None:
    parse_run(tomllib.loads(block), "README")


@pytest.mark.parametrize("block", [block for readme in READMES for block in blocks(readme, "python")])
def test_every_name_of_the_library_exists(block: str) -> None:
    used = {
        node.attr
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "s2s"
    }
    assert used
    assert [name for name in used if not hasattr(s2s, name)] == []


def test_the_table_lists_every_command_with_its_summary() -> None:
    rows = re.findall(r"^\| `s2s (\w+)` \| (.*) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(name, summary) for name, (_, summary) in COMMANDS.items()]


@pytest.mark.parametrize("readme", READMES)
def test_every_link_leads_somewhere(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not ((ROOT / readme).parent / link).exists()] == []
