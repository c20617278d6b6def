"""Vacancies that hop."""
