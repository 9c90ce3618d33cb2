"""Errors that are the user's to mend."""

from __future__ import annotations


class InputError(Exception):
    """Bad input: the command line prints the message alone and ends with exit code 2."""
