"""Changes to golden dialogues with an expected direction of the rating: attacks on a judge, one family a file."""
