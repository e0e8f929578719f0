"""What makes one value of many: running sums and extremes, ranks, and putting values in order."""
