"""Parts of the dock that retouches: the brush, and what it shows in the canvas."""
