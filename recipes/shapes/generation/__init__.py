"""One to many: numbers spelt out from a vector."""
