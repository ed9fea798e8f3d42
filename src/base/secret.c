#include "base/secret.h"

#include <nettle/aes.h>
#include <nettle/base64.h>
#include <nettle/cfb.h>
#include <string.h>

#include "base/assert.h"

enum { KEY_BYTES_MAX = 32, SEPARATOR = '@' };

/* What stands in front of the password: IV and separator. */
enum { PREFIX_BYTES = AES_BLOCK_SIZE + 1, PLAIN_BYTES_MAX = PREFIX_BYTES + SL_PASSWORD_BYTES_MAX };
static_assert(BASE64_ENCODE_RAW_LENGTH(PLAIN_BYTES_MAX) < SL_CIPHERTEXT_BYTES_MAX, "it fits");

/* The original's (drainer spec 5.4). */
static const char built_in_key[] =
    "a529b7665997f043a30ac8fadcb51d6aa032c226ab5b7750530b12b8c1a16a48";

/* AES by a key of any of its sizes. */
struct cipher {
    union {
        struct aes128_ctx aes128;
        struct aes192_ctx aes192;
        struct aes256_ctx aes256;
    } ctx;
    nettle_cipher_func *encrypt;
};

/* ---- the key ---- */

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The bytes of a key; how many, 0 when it is none. */
static size_t read_key(const char *hex, uint8_t *out)
{
    size_t digits = strlen(hex);

    if (digits != 2 * AES128_KEY_SIZE && digits != 2 * AES192_KEY_SIZE &&
        digits != 2 * AES256_KEY_SIZE)
        return 0;
    for (size_t i = 0; i < digits / 2; i++) {
        int high = digit_value(hex[2 * i]);
        int low = digit_value(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return 0;
        out[i] = (uint8_t)(high * 16 + low);
    }
    return digits / 2;
}

static enum sl_err cipher_init(struct cipher *c, const char *hex, struct sl_why *why)
{
    uint8_t key[KEY_BYTES_MAX];
    size_t  bytes = read_key(hex != NULL && hex[0] != '\0' ? hex : built_in_key, key);

    switch (bytes) {
    case AES128_KEY_SIZE:
        aes128_set_encrypt_key(&c->ctx.aes128, key);
        c->encrypt = (nettle_cipher_func *)aes128_encrypt;
        break;
    case AES192_KEY_SIZE:
        aes192_set_encrypt_key(&c->ctx.aes192, key);
        c->encrypt = (nettle_cipher_func *)aes192_encrypt;
        break;
    case AES256_KEY_SIZE:
        aes256_set_encrypt_key(&c->ctx.aes256, key);
        c->encrypt = (nettle_cipher_func *)aes256_encrypt;
        break;
    default:
        return sl_fail(why, SL_INVALID, "%s is not 16, 24 or 32 bytes in hexadecimal",
                       SL_SECRET_KEY_VARIABLE);
    }
    explicit_bzero(key, sizeof key);
    return SL_OK;
}

/* ---- both ways ---- */

enum sl_err sl_secret_encrypt(struct sl_random *random, const char *hex, const char *text,
                              char *out, struct sl_why *why)
{
    uint8_t       whole[PLAIN_BYTES_MAX];
    uint8_t       iv[AES_BLOCK_SIZE];
    struct cipher cipher;
    size_t        bytes = strlen(text);
    enum sl_err   err;

    if (bytes == 0)
        return sl_fail(why, SL_INVALID, "the text is empty");
    if (bytes >= SL_PASSWORD_BYTES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "the text has more than %d bytes",
                       SL_PASSWORD_BYTES_MAX - 1);
    if ((err = cipher_init(&cipher, hex, why)) != SL_OK)
        return err;
    random->fill(random, iv, sizeof iv);
    memcpy(whole, iv, sizeof iv);
    whole[AES_BLOCK_SIZE] = SEPARATOR;
    cfb_encrypt(&cipher.ctx, cipher.encrypt, AES_BLOCK_SIZE, iv, bytes, whole + PREFIX_BYTES,
                (const uint8_t *)text);
    base64_encode_raw(out, PREFIX_BYTES + bytes, whole);
    out[BASE64_ENCODE_RAW_LENGTH(PREFIX_BYTES + bytes)] = '\0';
    explicit_bzero(&cipher, sizeof cipher);
    return SL_OK;
}

static bool decode(const char *text, uint8_t *out, size_t *bytes)
{
    struct base64_decode_ctx ctx;
    size_t                   length = strlen(text);

    if (length >= SL_CIPHERTEXT_BYTES_MAX)
        return false;
    base64_decode_init(&ctx);
    return base64_decode_update(&ctx, bytes, out, length, text) == 1 &&
           base64_decode_final(&ctx) == 1;
}

enum sl_err sl_secret_decrypt(const char *hex, const char *text, char *out, struct sl_why *why)
{
    uint8_t       whole[BASE64_DECODE_LENGTH(SL_CIPHERTEXT_BYTES_MAX)];
    struct cipher cipher;
    size_t        bytes = 0;
    enum sl_err   err;

    if (!decode(text, whole, &bytes) || bytes <= PREFIX_BYTES || whole[AES_BLOCK_SIZE] != SEPARATOR)
        return sl_fail(why, SL_INVALID,
                       "not an encrypted password: binlogctl -cmd encrypt makes one");
    if (bytes - PREFIX_BYTES >= SL_PASSWORD_BYTES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "a password has at most %d bytes",
                       SL_PASSWORD_BYTES_MAX - 1);
    if ((err = cipher_init(&cipher, hex, why)) != SL_OK)
        return err;
    bytes -= PREFIX_BYTES;
    cfb_decrypt(&cipher.ctx, cipher.encrypt, AES_BLOCK_SIZE, whole, bytes, (uint8_t *)out,
                whole + PREFIX_BYTES);
    out[bytes] = '\0';
    explicit_bzero(&cipher, sizeof cipher);
    if (strlen(out) == bytes)
        return SL_OK;
    explicit_bzero(out, bytes);
    return sl_fail(why, SL_INVALID, "%s is not the key that it was encrypted with",
                   SL_SECRET_KEY_VARIABLE);
}
