"""Simulated calls: what a controller can practise on."""
