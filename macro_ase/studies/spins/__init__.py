"""Curie-Weiss and Ising: relaxation predicted from patches."""
