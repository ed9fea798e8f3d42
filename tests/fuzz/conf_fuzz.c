/* Any file and any command line is taken or refused with one line; nothing aborts, leaks or reads
 * out of bounds.
 *
 * Input: a TOML text, a byte 0, then arguments and environment strings ended by bytes 0
 * ("PUMP_X=..." is environment). Build: clang-14 -fsanitize=fuzzer,address,undefined, with src/base
 * and clang++-14 for conf_toml.cc. */

#include <stdint.h>

#include "base/assert.h"
#include "unit/base/conf_sample.h"

enum { WORDS_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Put the strings behind the file text into argv and env; both end with NULL. Returns argc. */
static int split(char *at, const char *end, const char **argv, const char **env)
{
    int argc = 0;
    int env_count = 0;

    argv[argc++] = "pump";
    argv[argc++] = "-config=f";
    while (at < end && argc < WORDS_MAX && env_count < WORDS_MAX) {
        if (strncmp(at, "PUMP_", 5) == 0)
            env[env_count++] = at;
        else
            argv[argc++] = at;
        at += strlen(at) + 1;
    }
    return argc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char            *argv[WORDS_MAX + 1] = {0};
    const char            *env[WORDS_MAX + 1] = {0};
    char                   shown[64];
    struct sample          config;
    struct sl_conf_report *report = malloc(sizeof *report);
    struct sl_why          why = {0};
    char                  *copy = malloc(size + 1);
    struct sample_fs       fs;
    struct sl_conf_input   input = {.argv = argv, .env = env, .fs = &fs.fs};
    size_t                 text_bytes;

    SL_ASSERT(copy != NULL && report != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    text_bytes = strlen(copy);
    fs = sample_fs_of("f", copy, text_bytes);
    input.argc = split(copy + text_bytes + (text_bytes < size), copy + size, argv, env);
    if (sl_conf_load(&sample_table, &input, &config, report, &why) == SL_OK) {
        for (size_t i = 0; i < sample_table.row_count; i++) {
            sl_conf_value_text(&sample_rows[i], &config, shown, sizeof shown);
            sl_conf_origin_text(&sample_table, report, i, shown, sizeof shown);
        }
        sl_conf_free(&sample_table, &config);
    } else {
        SL_ASSERT(why.text[0] != '\0' && strpbrk(why.text, "\r\n\t") == NULL);
    }
    SL_ASSERT(fs.open_count == 0);
    free(copy);
    free(report);
    return 0;
}
