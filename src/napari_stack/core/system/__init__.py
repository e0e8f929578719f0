"""The operating system and the compiler: files written whole, home folders, compiled kernels."""
