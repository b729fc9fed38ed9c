"""The crisis team's board: incidents, requests, who is on shift, the shift report."""
