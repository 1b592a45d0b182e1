"""Formats that can be read, one file each; the parsers behind them are in the packages next to this one."""
