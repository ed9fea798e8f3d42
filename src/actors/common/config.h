#ifndef SL_ACTORS_COMMON_CONFIG_H
#define SL_ACTORS_COMMON_CONFIG_H

/* What the configurations of pump and drainer have in common: addresses and URLs as the original
 * checks them, days or a duration, the log level, settings without effect, and what is logged about
 * all that at a start. The original makes URLs of all addresses and lets Go's net/url and net
 * packages judge them; the words here are theirs.
 *
 * Nothing here keeps state or blocks; any thread. Fields of a configuration are strings of the heap
 * that are never NULL (base/conf.h). */

#include "base/conf.h"
#include "base/log.h"

/* Give a field another text. */
void sl_config_set(char **field, const char *text);

/* The value of NAME in a list as environ's; NULL: it is not there, or the list is NULL. */
const char *sl_config_env(const char *const *env, const char *name);

/* Cut white space off both ends, in place: where the rest begins. */
char *sl_config_trimmed(char *text);

/* ---- addresses ---- */

/* What is wrong with one. */
enum sl_config_address {
    SL_CONFIG_ADDRESS_FINE,
    SL_CONFIG_ADDRESS_TOO_LONG,
    SL_CONFIG_ADDRESS_NO_URL,  /* not with "http://" in front of it: Go's url.Parse fails */
    SL_CONFIG_ADDRESS_NO_PAIR, /* it is not host:port: Go's net.SplitHostPort fails */
};

/* Check one address and cut off what Go would take for the path of a URL. FINE: its host is in
 * host[SL_ADDR_BYTES_MAX], maybe empty. Else why has the words of Go, without a prefix. */
enum sl_config_address sl_config_check_address(char *address, char *host, struct sl_why *why);

/* Fill an empty `addr`: with own_ipv4 (sl_env_os_ipv4's; NULL: there is none) when nobody has said
 * anything, with the loopback when somebody has said "". */
void sl_config_complete_addr(char **addr, const struct sl_conf_origin *origin, const char *own_ipv4,
                             const char *port);

/* Check and sort the list of PD's URLs in place; "local:DIR" stays as it is. SL_CONFIG. */
enum sl_err sl_config_check_pd_urls(char *pd_urls, struct sl_why *why);

/* ---- values ---- */

/* Days as a number without a sign, else a duration, which knows hours and less. SL_INVALID, with
 * the words of the original. */
enum sl_err sl_config_days_or_duration(const char *text, int64_t *nanos, struct sl_why *why);

/* SL_CONFIG. */
enum sl_err sl_config_check_log_level(const char *text, enum sl_log_level *out, struct sl_why *why);

/* ---- telling ---- */

/* Told of one setting ("-log-rotate", "storage.kv.block-size") and what to know about it; both are
 * valid during the call. */
typedef void (*sl_config_note)(void *context, const char *setting, const char *text);

/* Call `note` for everything that was set and is accepted without having its effect: worth a
 * warning each. */
void sl_config_notes(const struct sl_conf_table *table, const struct sl_conf_report *report,
                     sl_config_note note, void *context);

/* All settings with their values, as a JSON object on one line, for the log; secrets are not told.
 * Cut at `size`, which is above 0. */
void sl_config_text(const struct sl_conf_table *table, const void *config, char *out, size_t size);

/* Log what was set in the environment, and all notes. */
void sl_config_log(const struct sl_conf_table *table, const struct sl_conf_report *report);

#endif
