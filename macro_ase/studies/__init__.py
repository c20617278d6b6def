"""Whole studies: what is simulated, learned, predicted and compared, by the kind of system."""
