"""Connections by SSH, on asyncssh. Only `connector` imports this, and only when it is needed: asyncssh loads slowly.

`client` opens connections; `config` reads ~/.ssh/config, `route` knows the way to a host, `jumps` the hosts on the way,
`login` what happens at the door, `identities` the keys to show there, `session` the connection once it stands, and
`trouble` what can go wrong.
"""
