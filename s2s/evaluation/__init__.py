"""How good translations are: scores with signatures, baselines, placeholder counts."""
