"""Pure numerics: arrays and tensors in, frozen dataclasses out; no files, environment, clock or database."""

VERSION = "2"
"""Written beside every score; it changes whenever a number could change."""
