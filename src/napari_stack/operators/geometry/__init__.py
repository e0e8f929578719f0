"""Where pixels lie: measured transforms, warps, and frames turned, scaled and cropped."""
