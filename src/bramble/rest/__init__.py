"""The verbs of `bramble.api` as a secure REST service: a skin over them, as the command line is.

Every verb is a route of `routes.ROUTES`; its request is made from the verb's own signature, so a verb, its command and
its route have the same options. What changes something, or goes to hosts, is a job (`jobs`).
"""
