"""Text: readers, cleaning, placeholders, and tokenizers (SentencePiece subwords, characters)."""
