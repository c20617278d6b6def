"""Monte Carlo and molecular dynamics of patches in their true, frozen surroundings."""
