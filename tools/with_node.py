"""Run a command with node and npm on the path: `python tools/with_node.py npm run types`."""

import os
import sys

from bootstrap import node_environment

os.execvpe(sys.argv[1], sys.argv[1:], node_environment())
