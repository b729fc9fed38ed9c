"""The form language: XLSForms compiled to definitions, and one logic to run them."""
