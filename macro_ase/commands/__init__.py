"""What the commands of `macro-ase` do with files; each is a function that Python can call."""
