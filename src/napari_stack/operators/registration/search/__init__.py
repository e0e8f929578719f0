"""Where one frame lies against another: hypotheses, the evidence for each, and how sure it is."""
