"""Alloys: order predicted from patches, for vacancies and for swaps."""
