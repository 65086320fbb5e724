"""Audio to text: prepare.py, train.py and evaluate.py, and the corpora they know."""
