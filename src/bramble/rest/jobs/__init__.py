"""Jobs: what goes to hosts, or changes something, on behalf of a caller who need not wait for it."""

from .job import OVER, Happening, Job, State
from .jobs import Jobs
from .kept import Wanted
from .request import Request

__all__ = ["OVER", "Happening", "Job", "Jobs", "Request", "State", "Wanted"]
