#ifndef SL_BASE_SECRET_H
#define SL_BASE_SECRET_H

/* Passwords as `encrypted_password` holds them in the original's configuration files (drainer spec
 * 5.4): base64 of a random IV of 16 bytes, '@', and the password under AES-CFB with feedback of 128
 * bits. Nothing authenticates it: a wrong key gives other bytes, not an error. Without a key of the
 * user's own it hides a password from a glance, and from nobody who has this source.
 *
 * Pure; any thread. */

#include <stdbool.h>

#include "base/env.h"
#include "base/err.h"

/* Where the key comes from, in hexadecimal: 16, 24 or 32 bytes. */
#define SL_SECRET_KEY_VARIABLE "BINLOG_SECRET_KEY"

/* Encrypt a text of 1..SL_PASSWORD_BYTES_MAX - 1 bytes. `hex` is the value of
 * SL_SECRET_KEY_VARIABLE; NULL or empty: the key that the original has built in. The result goes to
 * out[SL_CIPHERTEXT_BYTES_MAX]. SL_INVALID: the key is none, or the text is empty; SL_TOO_LARGE. */
enum sl_err sl_secret_encrypt(struct sl_random *random, const char *hex, const char *text,
                              char *out, struct sl_why *why);

/* The way back, into out[SL_PASSWORD_BYTES_MAX]; the caller wipes it. SL_INVALID: no base64, not of
 * that form, or what comes out holds a NUL, as it does under a wrong key. Reasons quote neither. */
enum sl_err sl_secret_decrypt(const char *hex, const char *text, char *out, struct sl_why *why);

#endif
