"""What frames move beyond one matrix: tissue that deforms smoothly, scans whose rows wander."""
