"""Modules that see numbers only: recurrent layers, frontends, encoder, attention, bridge, decoder, output, losses.

Shapes: B batch, S source time, T target time, F feature, D memory width, H recurrent width, E embedding width,
A attention width, C context width, V vocabulary.
"""
