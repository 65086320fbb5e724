"""The command `s2s`: a table of commands each imported when it is used."""

import difflib
import importlib
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem

import s2s
from s2s.cli.boundary import run

COMMANDS = {
    "prepare": ("s2s.cli.prepare", "Filter a corpus, train its tokenizer and write a prepared data set."),
    "train": ("s2s.cli.train", "Train a model, or resume training where it stopped."),
    "translate": ("s2s.cli.translate", "Translate standard input or files, line by line."),
    "transcribe": ("s2s.cli.transcribe", "Transcribe recordings, to text or captions."),
    "generate": ("s2s.cli.generate", "Write texts that a language model makes up."),
    "score": ("s2s.cli.score", "Log-probabilities of given translations or texts."),
    "evaluate": ("s2s.cli.evaluate", "Compare hypotheses with references; perplexity of language models."),
    "tune": ("s2s.cli.tune", "Find the best settings of a model's search, and make them its defaults."),
    "average": ("s2s.cli.average", "Average the weights of several models."),
    "export": ("s2s.cli.export", "Write a model as ONNX graphs, which run without torch."),
    "info": ("s2s.cli.info", "What a model is, how it was trained and how good it is."),
    "doctor": ("s2s.cli.doctor", "Versions, devices, and what is missing on this machine."),
}

EPILOG = """
Exit codes: 0 done; 1 could not; 2 wrong use or config; 3 done, but some input was skipped; 130 or 143 stopped by
a signal. With S2S_DEBUG=1 in the environment, an error shows where in the code it arose.

Shell completion: put the line eval "$(_S2S_COMPLETE=bash_source s2s)" into ~/.bashrc; for zsh or fish write zsh_source
or fish_source.
"""


class LazyGroup(click.Group):
    """A group that imports a command's module, which exports `command`, only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command named first, or a usage error that names the nearest one."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            nearest = difflib.get_close_matches(args[0], COMMANDS, n=1)
            cure = f"did you mean {nearest[0]}?" if nearest else f"the commands are {', '.join(COMMANDS)}."
            ctx.fail(f"there is no command {args[0]!r}: {cure}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> None:
        """Run the command; what it returns is dropped, so that only `ctx.exit(code)` decides the exit code."""
        super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the section Commands of the help from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Command names from the table alone, then the group's own options."""
        names = [
            CompletionItem(name, help=summary) for name, (_, summary) in COMMANDS.items() if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(s2s.__version__, prog_name="s2s")
def cli() -> None:
    """Train, evaluate and run recurrent sequence-to-sequence models."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (default: of this process) and return its exit code."""
    return run(cli, arguments, "s2s")
