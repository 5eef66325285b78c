"""Tables, figures, sentences and pages of a study."""
