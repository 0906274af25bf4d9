"""The plan module: a government plan document becomes a live table."""
