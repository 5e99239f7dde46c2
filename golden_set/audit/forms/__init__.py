"""The forms in which people are asked and answer, one a file; entry points of `judge.forms`."""
