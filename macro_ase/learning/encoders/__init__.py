"""Closure variables: what is learned of states, tiles and atoms."""
