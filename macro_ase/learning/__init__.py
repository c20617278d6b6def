"""Closures: drift and diffusion of macroscopic observables, learned from patch increments."""

from ..extras import need

need("torch", "learning")
need("safetensors", "learning")
