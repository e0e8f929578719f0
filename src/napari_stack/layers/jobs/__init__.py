"""Work on layers that a thread can do: operators, recipes, a frame placed by hand, previews."""
