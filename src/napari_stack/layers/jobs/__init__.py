"""Work on layers that a thread can do: operators, recipes, previews, what they will take."""
