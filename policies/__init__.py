"""Environment or transitions in, a dialogue policy out."""
