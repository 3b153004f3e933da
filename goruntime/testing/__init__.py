"""What users test with: `synctest`, tests in virtual time of a bubble's own."""

from . import synctest

__all__ = ["synctest"]
