"""What a run is worth: statistics with error bars, and checks of what the method assumes."""
