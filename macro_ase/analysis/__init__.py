"""What a run is worth: prediction beside truth, and checks of what the method assumes."""
