"""Who may do what: people and their passwords, sessions, tokens, roles, and the record of what was done."""

from .audit_routes import router as _audit
from .session_routes import router as _session
from .token_routes import router as _tokens
from .user_routes import router as _users

#: Routes about the service itself: no verbs of `bramble.api`, which knows nothing of users.
ROUTERS = (_session, _users, _tokens, _audit)
