"""Stochastic predator-prey: fields predicted from patches."""
