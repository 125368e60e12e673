"""The fault campaign: faults from a seed fall on runs of the command line, and nothing may be lost by them."""
