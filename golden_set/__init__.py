"""Does the judge still agree with itself, and with people? Golden cases, the check, the monitor, sensitivity, attacks."""
