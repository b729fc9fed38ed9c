"""One file a kind of product: what its body and its files are made of."""
