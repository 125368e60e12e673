"""Jobs: what goes to hosts, or changes something, on behalf of a caller who need not wait for it."""

from .job import OVER, Job, State
from .jobs import Jobs, Request

__all__ = ["OVER", "Job", "Jobs", "Request", "State"]
