"""What pixels are: their channels, brightness and bit depth, robust statistics, and the cast."""
