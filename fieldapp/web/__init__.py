"""Pages for browsers and interfaces for phones, in a folder for each audience."""

import sys

# Flask-Security has a sign-on of its own, which is not used here, and loads that library in every server where it is
# installed. This is as if it were not; ours (services/people/provider.py) uses another part of it.
sys.modules.setdefault("authlib.integrations.flask_client", None)  # type: ignore[arg-type]
