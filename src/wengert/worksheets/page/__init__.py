"""The page: a worksheet as one HTML file to look at, step through and change."""
