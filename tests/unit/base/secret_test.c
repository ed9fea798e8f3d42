/* Passwords in configuration files: the cipher is AES-CFB with 128 bits of feedback as NIST SP
 * 800-38A has it (F.3.13 to F.3.17), with keys of all sizes; what is encrypted is decrypted; what
 * is no such text is refused, and no reason quotes a key. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "base/secret.h"

/* IV 00..0f, '@', and the first block of NIST's plain text under its key of each size. */
static const struct vector {
    const char *key;
    const char *text;
} vectors[] = {
    {"2b7e151628aed2a6abf7158809cf4f3c", "AAECAwQFBgcICQoLDA0OD0A7P9kuty2tIDM0SfjoPPtK"},
    {"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
     "AAECAwQFBgcICQoLDA0OD0DNyA1v3fGMqzTCWQnJmkF0"},
    {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
     "AAECAwQFBgcICQoLDA0OD0DcfoS/2nkWS37NhIaYXThg"},
};

static const uint8_t plain[] = {0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96,
                                0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a};

/* A source that is none: 00, 01, 02, ... */
static void count_up(struct sl_random *random, void *bytes, size_t count)
{
    (void)random;
    for (size_t i = 0; i < count; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)i;
}

static void cipher_is_that_of_the_standard(void **state)
{
    struct sl_random counting = {.fill = count_up};
    char             text[sizeof plain + 1] = {0};

    (void)state;
    memcpy(text, plain, sizeof plain);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char out[SL_CIPHERTEXT_BYTES_MAX];
        char back[SL_PASSWORD_BYTES_MAX];

        assert_int_equal(sl_secret_encrypt(&counting, vectors[i].key, text, out, NULL), SL_OK);
        assert_string_equal(out, vectors[i].text);
        assert_int_equal(sl_secret_decrypt(vectors[i].key, vectors[i].text, back, NULL), SL_OK);
        assert_string_equal(back, text);
    }
}

static void what_is_encrypted_is_decrypted(void **state)
{
    char text[SL_PASSWORD_BYTES_MAX];
    char out[SL_CIPHERTEXT_BYTES_MAX];
    char again[SL_CIPHERTEXT_BYTES_MAX];
    char back[SL_PASSWORD_BYTES_MAX];

    (void)state;
    for (size_t length = 1; length < SL_PASSWORD_BYTES_MAX; length += length < 40 ? 1 : 98) {
        struct sl_random *random = sl_env_os()->random;

        memset(text, 'a' + (int)(length % 26), length);
        text[length] = '\0';
        assert_int_equal(sl_secret_encrypt(random, NULL, text, out, NULL), SL_OK);
        assert_int_equal(sl_secret_encrypt(random, "", text, again, NULL), SL_OK);
        assert_string_not_equal(out, again); /* the IV is another each time */
        assert_int_equal(sl_secret_decrypt(NULL, out, back, NULL), SL_OK);
        assert_string_equal(back, text);
    }
}

static void texts_that_do_not_fit_are_refused(void **state)
{
    char text[SL_PASSWORD_BYTES_MAX + 1];
    char out[SL_CIPHERTEXT_BYTES_MAX];

    (void)state;
    memset(text, 'x', SL_PASSWORD_BYTES_MAX);
    text[SL_PASSWORD_BYTES_MAX] = '\0';
    assert_int_equal(sl_secret_encrypt(sl_env_os()->random, NULL, "", out, NULL), SL_INVALID);
    assert_int_equal(sl_secret_encrypt(sl_env_os()->random, NULL, text, out, NULL), SL_TOO_LARGE);
}

static void keys_that_are_none_are_named_and_not_quoted(void **state)
{
    static const char *const keys[] = {"00", "zz7e151628aed2a6abf7158809cf4f3c",
                                       "2b7e151628aed2a6abf7158809cf4f3c00"};
    char                     out[SL_CIPHERTEXT_BYTES_MAX];
    char                     back[SL_PASSWORD_BYTES_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct sl_why why = {0};

        assert_int_equal(sl_secret_encrypt(sl_env_os()->random, keys[i], "x", out, &why),
                         SL_INVALID);
        assert_non_null(strstr(why.text, "BINLOG_SECRET_KEY"));
        assert_null(strstr(why.text, keys[i]));
        assert_int_equal(sl_secret_decrypt(keys[i], vectors[0].text, back, NULL), SL_INVALID);
    }
}

static void what_is_no_encrypted_password_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "secret!",
        "c2VjcmV0",
        "AAECAwQFBgcICQoLDA0ODw==",         /* an IV alone */
        "AAECAwQFBgcICQoLDA0OD0A=",         /* no text */
        "AAECAwQFBgcICQoLDA0OD0E7P9kuty2t", /* another separator */
        "AAECAwQFBgcICQoLDA0OD0A7P9kuty2",  /* cut */
    };
    char back[SL_PASSWORD_BYTES_MAX];
    char huge[SL_CIPHERTEXT_BYTES_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(sl_secret_decrypt(NULL, texts[i], back, NULL), SL_INVALID);
    memset(huge, 'A', SL_CIPHERTEXT_BYTES_MAX);
    huge[SL_CIPHERTEXT_BYTES_MAX] = '\0';
    assert_int_equal(sl_secret_decrypt(NULL, huge, back, NULL), SL_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cipher_is_that_of_the_standard),
        cmocka_unit_test(what_is_encrypted_is_decrypted),
        cmocka_unit_test(texts_that_do_not_fit_are_refused),
        cmocka_unit_test(keys_that_are_none_are_named_and_not_quoted),
        cmocka_unit_test(what_is_no_encrypted_password_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
