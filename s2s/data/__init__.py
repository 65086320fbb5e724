"""Prepared data sets on disk (Arrow, memory-mapped), and the batches made of them."""
