"""What inspectors show: frames, pixels, motion, the sensor, depth as a surface."""
