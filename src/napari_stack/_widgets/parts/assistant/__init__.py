"""Parts of the "Stack" dock: frames to begin with, a checklist of steps, what is kept of them."""
