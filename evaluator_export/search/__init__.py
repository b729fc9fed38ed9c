"""Step 2: the generalisation that loses least while nobody stands out. Codes and arrays inside, words at the edges."""
