"""How `pio test` builds and reads the firmware's tests; nothing is fetched."""

import subprocess
import sys
from pathlib import Path

from platformio.test.runners.unity import UnityTestRunner


def make_vectors(project, name):
    """Run a test's make_vectors.py, where it has one; the folder of the C that it wrote."""
    script = project / "tests" / "firmware" / name / "make_vectors.py"
    if not script.is_file():
        return None
    folder = project / "build" / "vectors" / name
    own = project / ".venv" / "bin" / "python"
    done = subprocess.run([own if own.is_file() else sys.executable, script, folder], check=False)
    if done.returncode:
        sys.exit(f"Error: {script} failed; `make setup` installs what it needs")
    return folder


class CustomTestRunner(UnityTestRunner):
    """Reads Unity's `file:line:name:PASS` lines, which check.h prints."""

    EXTRA_LIB_DEPS = None

    def configure_build_env(self, env):
        """Let a test include check.h and its golden vectors."""
        env.Append(CPPPATH=["$PROJECT_TEST_DIR"])
        folder = make_vectors(Path(env.subst("$PROJECT_DIR")), self.test_suite.test_name)
        if folder:
            env.Append(CPPPATH=[str(folder)])
            env.BuildSources("$BUILD_DIR/vectors", str(folder))
        return env
