"""What lies in front: nearer things cut out sharply, and what their blur veils shown without it."""
