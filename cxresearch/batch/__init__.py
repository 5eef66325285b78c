"""Runs notebooks over studies."""
