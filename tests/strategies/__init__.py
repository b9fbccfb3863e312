"""Hypothesis strategies: segment definitions over the whole language, and streams that hit window edges.

Names and values come from small pools so that conditions and data meet; times are a start plus sums of
the durations that definitions use, give or take a millisecond, so that edges are met on purpose.
"""
