"""How `pio test` builds and reads the firmware's tests; nothing is fetched."""

from platformio.test.runners.unity import UnityTestRunner


class CustomTestRunner(UnityTestRunner):
    """Reads Unity's `file:line:name:PASS` lines, which check.h prints."""

    EXTRA_LIB_DEPS = None

    def configure_build_env(self, env):
        """Let a test include check.h."""
        env.Append(CPPPATH=["$PROJECT_TEST_DIR"])
        return env
