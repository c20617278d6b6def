"""Spin models: lattices, energies, dynamics."""
