"""Systems of a person's own, on the road that all studies of patches take."""
