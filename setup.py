"""Put the translations and the built client into the wheel, beside the code that reads them; pyproject.toml has the rest."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
# Folder of the checkout, what of it, folder of the package: fieldapp/paths.py looks for them there.
PARTS = [("translations", "*/LC_MESSAGES/*.mo", "fieldapp/translations"), ("static/dist", "**/*", "fieldapp/static")]


class BuildWithParts(build_py):
    def run(self) -> None:
        super().run()
        if self.editable_mode:  # a checkout reads them where they are
            return
        for folder, pattern, inside in PARTS:
            paths = [path for path in (ROOT / folder).glob(pattern) if path.is_file()]
            if not paths:
                raise SystemExit(f"{folder} is not built, so the wheel would not be whole. Run first: make build")
            for path in paths:
                target = Path(self.build_lib) / inside / path.relative_to(ROOT / folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


setup(cmdclass={"build_py": BuildWithParts})
