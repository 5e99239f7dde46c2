"""People look at a sample: it is drawn, reviewed, read back, compared with the judge, and used to calibrate it."""
