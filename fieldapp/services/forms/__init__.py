"""Forms: drafts, the builder's library, publishing, areas."""
