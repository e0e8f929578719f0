"""How computations run: the loops over frames, their memory, progress and scratch files."""
