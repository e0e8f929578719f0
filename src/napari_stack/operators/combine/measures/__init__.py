"""What is measured on frames to weigh, level and judge them: noise, levels, sharpness, likeness."""
