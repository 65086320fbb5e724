"""s2s transcribes recordings; see timing.py."""

from pathlib import Path

from timing import drive

import s2s
from s2s.hardware import keep_memory
from s2s.inference.transcriber import TranscriptionOptions


def load(job):
    """A transcriber, as `s2s transcribe` has it."""
    keep_memory()
    transcriber = s2s.load(job["model"], precision=job["precision"], threads=job["threads"])
    options = TranscriptionOptions(beam_size=job["beam"], batch_frames=job["batch_frames"])

    def work(recordings):
        found = list(transcriber.stream(map(Path, recordings), options))
        if problems := [transcript.problem for transcript in found if transcript.problem]:
            raise SystemExit(problems[0])
        return sum(transcript.seconds for transcript in found)

    return work


drive(load)
