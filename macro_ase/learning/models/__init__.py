"""What is learned of drift and noise: models, their training and their paths."""
