"""What is wrong with a focus series: frames that are no part of it, and frames not registered."""
