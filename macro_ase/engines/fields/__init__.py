"""Field equations, their fields in the arrays of atoms."""
