"""Text of one language: prepare.py, train.py and evaluate.py, for models that write, score and help by fusion."""
