"""Recipes: a corpus, a config, a training run and its score, each from one folder."""
