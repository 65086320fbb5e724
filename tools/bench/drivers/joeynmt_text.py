"""JoeyNMT translates tokenised lines with what its command `translate` calls; see timing.py."""

from pathlib import Path

from joeynmt.config import load_config, parse_global_args
from joeynmt.prediction import predict, prepare
from timing import drive


def load(job):
    """Its model and the stream of lines that it reads."""
    document = load_config(Path(job["config"]))
    document["testing"] |= {
        "batch_type": "token",
        "batch_size": job["batch_tokens"],
        "beam_size": job["beam"],
        "beam_alpha": 1.0 if job["beam"] > 1 else -1,
        "max_output_length": job["max_length"],
    }
    arguments = parse_global_args(document, rank=0, mode="translate")
    model, _, _, stream = prepare(arguments, rank=0, mode="translate")

    def work(lines):
        stream.reset_cache()
        for line in lines:
            stream.set_item(line)
        found = predict(
            model=model,
            data=stream,
            compute_loss=False,
            device=arguments.device,
            n_gpu=0,
            normalization="none",
            args=arguments.test,
            autocast=arguments.autocast,
        )
        return sum(len(tokens) for tokens in found[3])

    return work


drive(load)
