"""Whether the frontend leaves enough steps of each segment for CTC to spell its labels."""

from s2s.data.batches import WINDOW
from s2s.data.segments import Segments
from s2s.log import warn
from s2s.model import Seq2Seq
from s2s.nn.ctc import steps_needed

NAMES = 5


def warn_of_crowded_segments(model: Seq2Seq, segments: Segments) -> None:
    """Count and name the segments, as the first epoch draws them, in which CTC has no room and therefore no part."""
    if model.ctc is None:
        return
    crowded = []
    for start in range(0, len(segments), WINDOW):
        rows = range(start, min(start + WINDOW, len(segments)))
        drawn = segments.draw(rows, 0)
        steps = (model.frontend.reduce(source) for source, _ in drawn.lengths)
        crowded += [
            row for n, (row, left) in enumerate(zip(rows, steps, strict=True)) if left < steps_needed(drawn.target(n))
        ]
    if crowded:
        shown = ", ".join(segments.name(row) for row in crowded[:NAMES]) + (", ..." if len(crowded) > NAMES else "")
        warn(
            f"{len(crowded):,} of {len(segments):,} training segments are too short for their text once the frontend "
            f"has reduced them, and CTC leaves them out: {shown}."
        )
