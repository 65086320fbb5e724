"""The other shapes of sequence: many to one, aligned many to many, one to many, windows of a series, and memory."""
