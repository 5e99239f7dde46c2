"""The algorithms, one a file; none imports another."""
