"""The City's sum over many centres, in which nobody learns one centre's numbers.

After Bonawitz and others, 2017, for few centres that know each other's keys. The steps: docs/city-sum.md.
"""
