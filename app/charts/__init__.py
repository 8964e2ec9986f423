"""Geometry of the plots that templates draw as SVG: one file a plot. Pure; lengths are SVG user units.

Every plot is small whatever it shows, since it is drawn from bins, quantiles or the first places, and has a sentence in
`words` for whoever does not see it. Colour is never the only sign: shapes, dashes, hatching or labels say the same.
"""
