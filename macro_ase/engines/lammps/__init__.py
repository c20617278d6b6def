"""LAMMPS: its files, a calculator, and patches that it moves."""
