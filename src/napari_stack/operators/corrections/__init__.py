"""Corrections of brightness and defects: balance, vignetting, flat field, bleaching, hot pixels."""
