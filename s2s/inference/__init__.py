"""From a model directory to results: translations and scores of given ones."""
