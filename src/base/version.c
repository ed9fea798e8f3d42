#include "base/version.h"

#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#else
#define ARCHITECTURE "unknown"
#endif

const char sl_version_release[] = "v" SLUICE_VERSION;

void sl_version_write(FILE *out)
{
    fprintf(out,
            "Release Version: %s\n"
            "Git Commit Hash: Not provided\n"
            "Build TS: Not provided\n"
            "Go Version: none (C17)\n"
            "Go OS/Arch: linux/" ARCHITECTURE "\n\n",
            sl_version_release);
}
