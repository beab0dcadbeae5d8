"""Stands in for the package that Colab loads into each kernel."""
