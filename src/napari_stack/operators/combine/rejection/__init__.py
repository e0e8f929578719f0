"""Values of a pixel that are rejected: clipped by sigmas, or by lines, ranks and shares."""
