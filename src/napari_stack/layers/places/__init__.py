"""Where layers lie and how they look, and what moves with registered frames."""
