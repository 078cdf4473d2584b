"""``python -m suyuan`` is ``suyuan``."""

from suyuan.cli.main import app

if __name__ == "__main__":
    app()
