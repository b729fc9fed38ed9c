"""The generalization that loses least while nobody stands out: arrays of numbers inside."""
