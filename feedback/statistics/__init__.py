"""The arithmetic of refinement: pure functions over arrays, with no database and no request."""
