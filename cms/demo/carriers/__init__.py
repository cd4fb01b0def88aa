"""Demo carriers: they speak the real carriers' protocols on this machine, and say what they are."""
