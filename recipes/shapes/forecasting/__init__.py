"""Windows of a series: the next value from the last few."""
