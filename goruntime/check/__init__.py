"""What finds what breaks: a program is run under many schedules, and a failure again under its own."""

from .failure import Failure, Leak
from .report import Report
from .runner import explore, replay
from .schedule import ReplayDiverged, Schedule

__all__ = ["Failure", "Leak", "ReplayDiverged", "Report", "Schedule", "explore", "replay"]
