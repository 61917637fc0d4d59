"""What is done with a Wengert list: replay it, simplify it, prune it, name its nodes."""
