"""Step 5: write the files of a package, check them, sign and encrypt."""
