"""Readers of transcript formats; each enters through the entry-point group `judge.readers`."""
