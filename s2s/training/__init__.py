"""Training: the loop, optimiser, schedule, averaging, validation and what a run leaves on disk."""
