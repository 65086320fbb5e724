"""Learning a SentencePiece model in a process of its own, which a signal can end and whose memory is given back.

SentencePiece works for minutes without looking at signals, and a thread that does so cannot be left behind. This file
is also the program of that process: it reads lines, and writes the model.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any


def learn(texts: Iterable[str], options: dict[str, Any]) -> bytes:
    """The model that SentencePiece's trainer makes of lines of text; RuntimeError with its message when it cannot."""
    command = [sys.executable, "-P", __file__, json.dumps(options)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        try:
            with suppress(BrokenPipeError):  # it ended early, and says why
                for text in texts:
                    process.stdin.write(text.encode() + b"\n")
            model, errors = process.communicate()
        except BaseException:
            process.kill()
            with suppress(BrokenPipeError):  # which would take the place of the error
                process.stdin.close()
            raise
    if process.returncode != 0:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"its process ended with exit code {process.returncode}")
    return model


def main() -> None:
    """Lines of standard input to a model on standard output."""
    import sentencepiece

    texts = (line.removesuffix(b"\n").decode() for line in sys.stdin.buffer)
    options = json.loads(sys.argv[1])
    try:
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=texts, model_writer=sys.stdout.buffer, **options)
    except RuntimeError as error:
        sys.exit(" ".join(str(error).split()))


if __name__ == "__main__":
    main()
