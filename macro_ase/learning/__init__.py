"""Closures: drift and diffusion of macroscopic observables, learned from patch increments.

Needs PyTorch: ``pip install 'macro-ase[learn]'``.
"""
