"""Runs plans: order, concurrency, secrets, history. Events go up as they happen; a report ends them."""
