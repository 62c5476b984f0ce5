"""Build the widget again, elsewhere, and compare it with the committed ``widget_dist/``.

Compressed forms are compared by what they hold: compressors differ between versions.
"""

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMITTED = ROOT / "widget_dist"
UNPACK_BROTLI = "process.stdout.write(zlib.brotliDecompressSync(fs.readFileSync(process.argv[1])))"


def main() -> int:
    """Name every file that differs; return an exit code."""
    with tempfile.TemporaryDirectory() as directory:
        command = ["npm", "--prefix", "widget", "run", "build", "--", "--out", directory]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        built = contents(Path(directory))
    committed = contents(COMMITTED)
    names = sorted(committed.keys() | built.keys())
    different = [name for name in names if committed.get(name) != built.get(name)]
    for name in different:
        print(f"widget_dist/{name} is not what widget/ builds", file=sys.stderr)
    if different:
        print("Run `make widget`, and commit what it builds.", file=sys.stderr)
        return 1
    print(f"widget_dist/ is what widget/ builds: {len(names)} files")
    return 0


def contents(directory: Path) -> dict[str, bytes]:
    """Return what each file holds, by its name."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): unpacked(path) for path in files}


def unpacked(path: Path) -> bytes:
    """Read a file, uncompressed."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".br":
        unpack = ["node", "-e", UNPACK_BROTLI, str(path)]
        return subprocess.run(unpack, check=True, capture_output=True).stdout
    return path.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
