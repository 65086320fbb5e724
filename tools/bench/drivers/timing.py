"""What every driver does: read a job from standard input, load, warm up, work, and write what it took as JSON.

A driver is run by the Python of its system. The job has `items`, `warm_up` (items with which it gets warm),
`one_by_one`, and what the system needs. `units` is what the work made in all: tokens with EOS, or seconds of audio.
"""

import json
import sys
import time


def drive(load):
    """Call `load` with the job; it gives a function that works on a list of items and returns the units made."""
    job = json.load(sys.stdin)
    work = load(job)
    work(job["warm_up"])
    milliseconds, units = [], 0
    began = time.perf_counter()
    for items in [[item] for item in job["items"]] if job["one_by_one"] else [job["items"]]:
        started = time.perf_counter()
        units += work(items)
        milliseconds.append(1000 * (time.perf_counter() - started))
    seconds = time.perf_counter() - began
    print("\n" + json.dumps({"seconds": seconds, "units": units, "milliseconds": milliseconds}))
