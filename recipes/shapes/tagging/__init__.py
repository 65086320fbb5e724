"""Aligned many to many: capitals and punctuation for words that lost them, and the parity of positions."""
