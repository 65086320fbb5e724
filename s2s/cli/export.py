"""`s2s export`: a model as graphs that run without torch."""

from pathlib import Path

import click


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--format", "written_as", type=click.Choice(["onnx"]), required=True, help="What to write.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Folder to write; it must not exist.")
def command(model: Path, written_as: str, output: Path) -> None:
    """Write MODEL, a model directory or a run for its best checkpoint, as two ONNX graphs of float32.

    encoder.onnx reads a batch of sources, step.onnx gives the next token of each hypothesis; batches and lengths are
    free. s2s translate and s2s transcribe take the folder as they take MODEL, and find the same.

    To run the graphs without s2s takes onnxruntime or another program for ONNX, SentencePiece for text, a filter bank
    for audio, and a search. README.md in the folder lists names, types and shapes of all inputs and outputs.

    Needs the extra onnx: pip install 's2s[onnx]'.
    """
    from s2s.export import export_onnx
    from s2s.log import say

    export_onnx(model, output)
    say(f"{output} holds the graphs and all that belongs to them.")
