"""Who may do what: people and their passwords, sessions, tokens, roles, and the record of what was done."""
