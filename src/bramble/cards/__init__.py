"""SD cards: which images there are, which disks are cards, and how one becomes the other for a certain host."""
