"""Connections by SSH, on asyncssh. Only `connector` imports this, and only when it is needed: asyncssh loads slowly.

`client` opens connections; `route` knows the way to a host, `login` what happens at its door, `identities` the keys
to show there, `jumps` the hosts on the way, `session` the connection once it stands, `trouble` what can go wrong.
"""
