"""A response to a quantity, learned from groups of measured points; a scaffold to be changed.

Paper: none yet; name here authors, title, year and identifier of what ``models`` implements.

Data: ``sample`` simulated groups of points; ``public`` none yet; or the user's CSV.

Axes and units: one table, a row for each point: ``group`` (name of what was measured: the splits
keep groups whole), ``x`` in m, ``y`` in m.  The score is the error of ``y`` in m, by test group.
"""
