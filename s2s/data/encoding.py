"""Token ids for the text of a part; of a long one in a process for each core.

This file is also the program of those processes. They write shards, files of as many rows each, so that neither the
number of cores nor an interruption changes what is written.
"""

import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import s2s
from s2s.data.arrow import BLOCK_ROWS, Row, count_rows, id_columns, read_rows, text_columns, write_rows
from s2s.errors import S2SError
from s2s.files import commit_file
from s2s.hardware import cores
from s2s.log import progress
from s2s.text.tokenizers import Tokenizers

COLUMNS = ("id", "source", "target")
SHARD_ROWS = 100_000


@dataclass(frozen=True)
class Shard:
    """Rows `start` to `stop` of the Arrow file `part`."""

    part: Path
    start: int
    stop: int

    @property
    def path(self) -> Path:
        """The file that gets them with their ids."""
        return self.part.with_name(f"{self.part.stem}.{self.start}.arrow")

    def encode(self, tokenizers: Tokenizers, watch: Callable[[Iterator[Row]], Iterator[Row]]) -> None:
        """Write the file, by rename; rows pass through `watch`."""

        def rows() -> Iterator[Row]:
            for row in watch(read_rows(self.part, self.start, self.stop)):
                source, target = tokenizers.encode_pair(row["source"], row["target"])
                yield {**row, "source_ids": source, "target_ids": target}

        unfinished = self.path.with_suffix(f".{os.getpid()}.part")
        write_rows(unfinished, rows(), text_columns(*COLUMNS) | id_columns("source_ids", "target_ids"))
        commit_file(unfinished, self.path)


def encode_part(part: Path, rows: int, tokenizers: Path) -> list[Path]:
    """The rows of an Arrow file with their ids, in shards beside it, which are in order; what is there already stays.

    `tokenizers` is the folder that holds them. S2SError: one of several processes failed.
    """
    shards = [Shard(part, start, min(start + SHARD_ROWS, rows)) for start in range(0, rows, SHARD_ROWS)]
    missing = [shard for shard in shards if count_rows(shard.path) != shard.stop - shard.start]
    total, what = sum(shard.stop - shard.start for shard in missing), f"encoding {part.stem}"
    if len(missing) == 1:
        missing[0].encode(Tokenizers.load(tokenizers), lambda found: progress(found, what, total))
    elif missing:
        with closing(_by_processes(missing, tokenizers)) as encoded:
            for _ in progress(encoded, what, total):
                pass
    return [shard.path for shard in shards]


def _by_processes(shards: Sequence[Shard], tokenizers: Path) -> Generator[None]:
    """One item for each row that is encoded, about when it is."""
    count = min(cores(), len(shards))
    packages = os.pathsep.join([str(Path(s2s.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": packages}
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with selectors.DefaultSelector() as running:
            for number in range(count):
                ranges = [f"{shard.start}:{shard.stop}" for shard in shards[number::count]]
                command = [sys.executable, "-P", "-m", __name__, str(shards[0].part), str(tokenizers), *ranges]
                processes.append(
                    subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, start_new_session=True)
                )
                running.register(processes[-1].stdout, selectors.EVENT_READ, processes[-1])  # type: ignore[arg-type]
            while running.get_map():
                for key, _ in running.select():
                    blocks = os.read(key.fd, 4096)
                    yield from repeat(None, BLOCK_ROWS * len(blocks))
                    if not blocks:
                        running.unregister(key.fileobj)
                        if code := key.data.wait():
                            raise S2SError(f"A process that encodes text failed with exit code {code}.")
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()  # type: ignore[union-attr]


def main() -> None:
    """A byte on standard output for each block of rows that is encoded."""
    part, tokenizers = Path(sys.argv[1]), Tokenizers.load(Path(sys.argv[2]))

    def tell(rows: Iterator[Row]) -> Iterator[Row]:
        for number, row in enumerate(rows):
            yield row
            if number % BLOCK_ROWS == 0:
                os.write(sys.stdout.fileno(), b".")

    try:
        for start, stop in (argument.split(":") for argument in sys.argv[3:]):
            Shard(part, int(start), int(stop)).encode(tokenizers, tell)
    except BrokenPipeError:
        sys.exit(1)  # who started it is gone
    except OSError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
