"""Compiled kernels: arrays in, arrays out, no ASE, no classes."""
