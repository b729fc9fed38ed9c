"""The City's data products as values: what is counted, made from protected tables only.

Drawing is elsewhere.
"""
