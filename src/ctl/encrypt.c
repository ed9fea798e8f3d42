/* -cmd encrypt. */

#include <stdio.h>
#include <stdlib.h>

#include "base/secret.h"
#include "ctl/legacy.h"

static const struct ctl_place place_encrypted = {"encrypt.go", 30};

enum sl_err ctl_encrypt(const struct ctl_command_run *run, struct sl_why *why)
{
    const char *key = getenv(SL_SECRET_KEY_VARIABLE);
    char        encrypted[SL_CIPHERTEXT_BYTES_MAX];
    enum sl_err err;

    if (run->flags->text[0] == '\0')
        return sl_fail(why, SL_INVALID, "need to specify the text to be encrypt");
    err = sl_secret_encrypt(run->env->random, key, run->flags->text, encrypted, why);
    if (err != SL_OK)
        return err;
    if (key == NULL || key[0] == '\0')
        fprintf(stderr, "binlogctl: " SL_SECRET_KEY_VARIABLE
                        " is not set: with the key that is built in, everybody can decrypt this\n");
    ctl_say(place_encrypted, SL_LOG_INFO, "encrypt text",
            (const struct sl_field[]){sl_field_str("encrypted", encrypted), sl_field_end()});
    return SL_OK;
}
