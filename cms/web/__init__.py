"""The screens: one folder per area, listed here."""
