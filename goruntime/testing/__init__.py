"""What users test with: bubbles with a clock of their own, prescribed orders, and looks at who is blocked."""

from . import synctest
from .parked import assert_parks, wait_all_parked
from .sequencer import BrokenSequence, Sequencer

__all__ = ["BrokenSequence", "Sequencer", "assert_parks", "synctest", "wait_all_parked"]
