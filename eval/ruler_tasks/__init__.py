"""Generators of long texts with something to find in them: RULER's 13 tasks, LongChat's two, and MRCR's."""
