"""The corpora of the recipe: each module here fetches one, cleans it and splits it."""
