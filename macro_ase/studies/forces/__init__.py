"""Learning from the forces on a few particles."""
