"""Alloys of many compositions: one model, conditioned on temperature and composition."""
