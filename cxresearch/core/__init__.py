"""Shared mathematics: moments, the tidy result, rules with their sources."""
