"""PocketSphinx transcribes WAV files of 16 kHz with its own English model; see timing.py."""

import wave

from pocketsphinx import Decoder
from timing import drive


def load(_job):
    """Its decoder."""
    decoder = Decoder(loglevel="FATAL")

    def work(recordings):
        seconds = 0.0
        for path in recordings:
            with wave.open(path) as file:
                samples = file.readframes(file.getnframes())
                seconds += file.getnframes() / file.getframerate()
            decoder.start_utt()
            decoder.process_raw(samples, no_search=False, full_utt=True)
            decoder.end_utt()
            decoder.hyp()
        return seconds

    return work


drive(load)
