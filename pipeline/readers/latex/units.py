"""Write the quantities of siunitx: numbers with their units as they are printed.

Source  siunitx, tables 2 to 6, https://ctan.org/pkg/siunitx
"""

import re

PREFIXES = {
    "yocto": "y", "zepto": "z", "atto": "a", "femto": "f", "pico": "p", "nano": "n", "micro": "µ", "milli": "m",
    "centi": "c", "deci": "d", "deca": "da", "hecto": "h", "kilo": "k", "mega": "M", "giga": "G", "tera": "T",
    "peta": "P", "exa": "E", "zetta": "Z", "yotta": "Y", "kibi": "Ki", "mebi": "Mi", "gibi": "Gi", "tebi": "Ti",
}  # fmt: skip
UNITS = {
    "metre": "m", "meter": "m", "second": "s", "gram": "g", "kilogram": "kg", "ampere": "A", "kelvin": "K",
    "mole": "mol", "candela": "cd", "hertz": "Hz", "newton": "N", "pascal": "Pa", "joule": "J", "watt": "W",
    "coulomb": "C", "volt": "V", "farad": "F", "ohm": "Ω", "siemens": "S", "weber": "Wb", "tesla": "T", "henry": "H",
    "lumen": "lm", "lux": "lx", "becquerel": "Bq", "gray": "Gy", "sievert": "Sv", "katal": "kat", "radian": "rad",
    "steradian": "sr", "celsius": "°C", "degreeCelsius": "°C", "degree": "°", "arcminute": "′", "arcsecond": "″",
    "minute": "min", "hour": "h", "day": "d", "litre": "L", "liter": "L", "tonne": "t", "hectare": "ha",
    "electronvolt": "eV", "dalton": "Da", "bar": "bar", "percent": "%", "bit": "bit", "byte": "B", "bel": "B",
    "decibel": "dB", "neper": "Np", "angstrom": "Å", "barn": "b", "parsec": "pc", "lightyear": "ly",
    "astronomicalunit": "au", "permille": "‰", "mm": "mm", "cm": "cm", "km": "km", "um": "µm", "nm": "nm", "ms": "ms",
    "us": "µs", "ns": "ns", "kg": "kg", "mg": "mg", "ug": "µg", "GHz": "GHz", "MHz": "MHz", "kHz": "kHz", "Hz": "Hz",
    "mV": "mV", "V": "V", "mA": "mA", "A": "A", "kW": "kW", "W": "W", "mW": "mW", "MeV": "MeV", "GeV": "GeV",
    "TeV": "TeV", "keV": "keV", "eV": "eV", "K": "K", "kPa": "kPa", "MPa": "MPa", "GPa": "GPa", "Pa": "Pa",
    "ml": "mL", "mL": "mL", "L": "L", "l": "L", "dB": "dB",
}  # fmt: skip
POWERS = {"squared": "^2", "cubed": "^3", "square": "^2", "cubic": "^3"}
TOKEN = re.compile(r"\\([A-Za-z]+)|\{([^{}]*)\}|([^\\{}]+)")
NUMBER = re.compile(r"([-+]?[\d.,]+)(?:\s*\+-\s*([\d.]+))?(?:[eEdD]([-+]?\d+))?")


def format_number(text: str) -> str:
    """Return a number as siunitx prints it: '1.2e6' as '1.2 × 10^6'."""
    text = text.strip()
    match = NUMBER.fullmatch(text)
    if match is None:
        return text.replace("\\pm", "±").replace("+-", " ± ")
    value = match[1] + (f" ± {match[2]}" if match[2] else "")
    return f"{value} × 10^{match[3].lstrip('+')}" if match[3] else value


def format_unit(text: str) -> str:
    r"""Return a unit of macros (\kilo\metre\per\hour) or of letters (km/h) as printed."""
    if "\\" not in text:
        return text.replace(".", "·").replace("~", " ").strip()
    written: list[str] = []
    prefix = power = ""
    is_divisor = has_argument = False
    for match in TOKEN.finditer(text):
        name = match[1]
        if match[2] is not None and has_argument and written:
            written[-1] += f"^{match[2]}"
        has_argument = name in ("tothe", "raiseto")
        if name == "per":
            is_divisor = True
        elif name in PREFIXES:
            prefix = PREFIXES[name]
        elif name in ("squared", "cubed") and written:
            written[-1] += POWERS[name]
        elif name in POWERS:
            power = POWERS[name]
        elif name or (match[3] and match[3].strip(" ~.")):
            unit = UNITS.get(name, name) if name else match[3].strip()
            between = "/" if is_divisor else "·" if written else ""
            written.append(f"{between}{prefix}{unit}{power}")
            prefix, power, is_divisor = "", "", False
    return "".join(written)


def format_quantity(number: str, unit: str) -> str:
    """Return a number with its unit; a degree or a second of arc follows without a space."""
    space = "" if unit in ("°", "′", "″", "") else " "
    return f"{format_number(number)}{space}{unit}"
