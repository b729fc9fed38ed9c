"""The City's sum at a centre's server and at the City: box, diary, numbers, rounds."""
