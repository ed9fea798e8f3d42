#include "net/mysql_auth.h"

#include <mariadb/mysql.h>
/* Need the one before. */
#include <mariadb/errmsg.h>
#include <mariadb/mysql/plugin_auth.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"

/* The exchange: the server sends a nonce; the client answers
 *
 *     SHA256(password) xor SHA256(SHA256(SHA256(password)) nonce)
 *
 * and hears that it is logged in (3), or that the server has no hash of the password at hand (4)
 * and needs to see it once. On a connection that nobody else reads it is then sent as it is; else
 * the client asks for the server's RSA key (2) and sends the password, xor nonce, encrypted by it.
 */
enum { NONCE_BYTES = 20, HASH_BYTES = 32, KEY_BYTES_MAX = 1024 };
enum { ASK_FOR_KEY = 2, LOGGED_IN = 3, SHOW_PASSWORD = 4 };

static bool hash(const void *a, size_t a_len, const void *b, size_t b_len, uint8_t out[HASH_BYTES])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool        done = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(ctx, a, a_len) == 1 && EVP_DigestUpdate(ctx, b, b_len) == 1 &&
                EVP_DigestFinal_ex(ctx, out, NULL) == 1;

    EVP_MD_CTX_free(ctx);
    return done;
}

static bool prove(const char *password, const uint8_t *nonce, uint8_t proof[HASH_BYTES])
{
    uint8_t once[HASH_BYTES];
    uint8_t twice[HASH_BYTES];
    uint8_t mask[HASH_BYTES];

    if (!hash(password, strlen(password), "", 0, once) || !hash(once, sizeof once, "", 0, twice) ||
        !hash(twice, sizeof twice, nonce, NONCE_BYTES, mask))
        return false;
    for (size_t i = 0; i < HASH_BYTES; i++)
        proof[i] = once[i] ^ mask[i];
    return true;
}

/* The password with its terminator, masked with the nonce and encrypted; its length, or 0. */
static size_t encrypt(const char *password, const uint8_t *nonce, const uint8_t *pem, int pem_len,
                      uint8_t out[KEY_BYTES_MAX])
{
    uint8_t       masked[SL_MYSQL_PASSWORD_BYTES_MAX];
    size_t        len = strlen(password) + 1;
    size_t        out_len = KEY_BYTES_MAX;
    BIO          *bio = BIO_new_mem_buf(pem, pem_len);
    EVP_PKEY     *key = bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    EVP_PKEY_CTX *ctx = key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);
    bool          done = false;

    if (ctx != NULL && len <= sizeof masked && EVP_PKEY_get_size(key) <= KEY_BYTES_MAX) {
        for (size_t i = 0; i < len; i++)
            masked[i] = (uint8_t)password[i] ^ nonce[i % NONCE_BYTES];
        done = EVP_PKEY_encrypt_init(ctx) == 1 &&
               EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
               EVP_PKEY_encrypt(ctx, out, &out_len, masked, len) == 1;
        OPENSSL_cleanse(masked, len);
    }
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    return done ? out_len : 0;
}

static bool is_private(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql)
{
    MYSQL_PLUGIN_VIO_INFO info = {0};

    vio->info(vio, &info);
    return info.protocol == MYSQL_VIO_SOCKET || mysql_get_ssl_cipher(mysql) != NULL;
}

static int show_password(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql, const uint8_t *nonce)
{
    static const uint8_t ask[1] = {ASK_FOR_KEY};
    uint8_t              secret[KEY_BYTES_MAX];
    size_t               secret_len;
    unsigned char       *packet;
    int                  len;

    if (is_private(vio, mysql))
        return vio->write_packet(vio, (const unsigned char *)mysql->passwd,
                                 (int)strlen(mysql->passwd) + 1) == 0
                   ? CR_OK
                   : CR_ERROR;
    if (vio->write_packet(vio, ask, sizeof ask) != 0 || (len = vio->read_packet(vio, &packet)) < 0)
        return CR_ERROR;
    secret_len = encrypt(mysql->passwd, nonce, packet, len, secret);
    if (secret_len == 0)
        return CR_AUTH_PLUGIN_ERR;
    return vio->write_packet(vio, secret, (int)secret_len) == 0 ? CR_OK : CR_ERROR;
}

static int log_in(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql)
{
    uint8_t        nonce[NONCE_BYTES];
    uint8_t        proof[HASH_BYTES];
    unsigned char *packet;

    /* Behind the nonce is a zero. */
    if (vio->read_packet(vio, &packet) != NONCE_BYTES + 1)
        return CR_SERVER_HANDSHAKE_ERR;
    memcpy(nonce, packet, sizeof nonce);
    if (mysql->passwd == NULL || mysql->passwd[0] == '\0')
        return vio->write_packet(vio, NULL, 0) == 0 ? CR_OK : CR_ERROR;
    if (!prove(mysql->passwd, nonce, proof))
        return CR_AUTH_PLUGIN_ERR;
    if (vio->write_packet(vio, proof, sizeof proof) != 0)
        return CR_ERROR;
    switch (vio->read_packet(vio, &packet) == 1 ? packet[0] : 0) {
    case LOGGED_IN: return CR_OK;
    case SHOW_PASSWORD: return show_password(vio, mysql, nonce);
    default: return CR_ERROR; /* the server has said why */
    }
}

/* What a plug-in for authentication is to the library. Debian's header that says so,
 * mysql/client_plugin.h, cannot be included, because it needs one that no package has. */
struct auth_plugin {
    MYSQL_CLIENT_PLUGIN_HEADER
    int (*authenticate_user)(MYSQL_PLUGIN_VIO *, MYSQL *);
};
enum { AUTH_PLUGIN = 2, AUTH_INTERFACE = 0x0100 };

/* Not const: the library keeps a list through it. */
static struct auth_plugin method = {
    .type = AUTH_PLUGIN,
    .interface_version = AUTH_INTERFACE,
    .name = "caching_sha2_password",
    .author = "Sluice",
    .desc = "SHA-256 password method of MySQL 8",
    .version = {1, 0, 0},
    .license = "Apache-2.0",
    .authenticate_user = log_in,
};

bool mysql_auth_register(void)
{
    MYSQL *mysql = mysql_init(NULL); /* the library wants one to note an error in */
    bool   done = mysql != NULL && mysql_client_register_plugin(
                                       mysql, (struct st_mysql_client_plugin *)&method) != NULL;

    if (mysql != NULL)
        mysql_close(mysql);
    return done;
}
