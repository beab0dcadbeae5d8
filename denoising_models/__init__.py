"""Figures, pretrained weights and their manifest: data, which travels with the package."""
