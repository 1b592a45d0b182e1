"""The parts of the report, one module for each measure, found by themselves."""
