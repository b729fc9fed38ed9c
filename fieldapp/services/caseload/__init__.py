"""Cards, follow-ups, referrals, and handing a card to another worker."""
