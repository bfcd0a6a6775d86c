"""The domains: one folder each, all of the same shape (see ``domains/contract.py``)."""
