"""Swaps and other Monte Carlo moves of atoms on sites."""
