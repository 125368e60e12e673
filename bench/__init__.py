"""Figures: medians and ratios, each beside a peer or a raw limit in the same run. ``make bench`` writes them."""
