"""A straight line through noisy points: the smallest domain that keeps the contract.

Data: simulated; x in m, y in m.  Tests copy this folder into a checkout as ``domains/toy``.
"""
