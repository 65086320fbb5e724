"""s2s translates lines; see timing.py."""

from timing import drive

import s2s
from s2s.hardware import keep_memory


def load(job):
    """A translator, as `s2s translate` has it."""
    keep_memory()
    translator = s2s.load(job["model"], precision=job["precision"], threads=job["threads"])

    def work(lines):
        options = {"beam_size": job["beam"], "max_length": job["max_length"], "batch_tokens": job["batch_tokens"]}
        found = translator.translate(lines, **options)
        return sum(len(translation.tokens.target) + 1 for translation in found)

    return work


drive(load)
