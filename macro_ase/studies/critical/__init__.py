"""Critical Ising: finite-size scaling from models learned on patches."""
