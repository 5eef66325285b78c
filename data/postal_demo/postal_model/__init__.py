"""SYNTHETIC: the generative model behind the postal_demo tables. README.md beside it tells the model in words."""
