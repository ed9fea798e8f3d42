#include "net/endpoints.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* ---- one ---- */

static void endpoint_done(struct sl_endpoint *endpoint)
{
    sl_channel_free(&endpoint->channel);
    free(endpoint->url);
    *endpoint = (struct sl_endpoint){0};
}

/* The new one, or the old one of that URL. NULL: it is no URL, or there is no place. */
static struct sl_endpoint *add(struct sl_endpoints *set, const char *url, struct sl_why *why)
{
    uint32_t            index = sl_endpoints_find(set, url);
    struct sl_endpoint *endpoint;
    struct sl_channel  *channel;

    if (index < set->count)
        return &set->at[index];
    if (set->count == SL_ENDPOINTS_MAX) {
        (void)sl_fail(why, SL_TOO_LARGE, "more than %d URLs", SL_ENDPOINTS_MAX);
        return NULL;
    }
    if (sl_channel_new(set->env, url, SL_DOOR_MESSAGE_BYTES_MAX, &channel, why) != SL_OK)
        return NULL;
    endpoint = &set->at[set->count++];
    *endpoint = (struct sl_endpoint){.url = strdup(url), .channel = channel};
    SL_ASSERT(endpoint->url != NULL);
    return endpoint;
}

/* ---- all ---- */

/* Spaces around a URL are no part of it. */
static enum sl_err add_configured(struct sl_endpoints *set, const char *begin, size_t length,
                                  struct sl_why *why)
{
    struct sl_endpoint *endpoint;
    char                url[SL_ADDR_BYTES_MAX];

    while (length > 0 && *begin == ' ') {
        begin++;
        length--;
    }
    while (length > 0 && begin[length - 1] == ' ')
        length--;
    if (length >= sizeof url)
        return sl_fail(why, SL_CONFIG, "a URL of %zu bytes is too long", length);
    memcpy(url, begin, length);
    url[length] = '\0';
    if ((endpoint = add(set, url, why)) == NULL)
        return SL_CONFIG;
    endpoint->configured = true;
    return SL_OK;
}

enum sl_err sl_endpoints_init(struct sl_endpoints *set, const struct sl_env *env, const char *urls,
                              struct sl_why *why)
{
    enum sl_err err = SL_OK;

    *set = (struct sl_endpoints){.env = env};
    for (const char *at = urls; err == SL_OK && at != NULL;) {
        const char *comma = strchr(at, ',');

        err = add_configured(set, at, comma != NULL ? (size_t)(comma - at) : strlen(at), why);
        at = comma != NULL ? comma + 1 : NULL;
    }
    if (err != SL_OK)
        sl_endpoints_done(set);
    return err;
}

void sl_endpoints_done(struct sl_endpoints *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        endpoint_done(&set->at[i]);
    set->count = 0;
}

void sl_endpoints_update_begin(struct sl_endpoints *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        set->at[i].told = false;
}

void sl_endpoints_update_add(struct sl_endpoints *set, const char *url)
{
    struct sl_endpoint *endpoint = add(set, url, NULL);

    if (endpoint != NULL)
        endpoint->told = true;
}

void sl_endpoints_update_end(struct sl_endpoints *set)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < set->count; i++) {
        if (set->at[i].told || set->at[i].configured)
            set->at[kept++] = set->at[i];
        else
            endpoint_done(&set->at[i]);
    }
    set->count = kept;
}

uint32_t sl_endpoints_find(const struct sl_endpoints *set, const char *url)
{
    uint32_t i = 0;

    while (i < set->count && strcmp(set->at[i].url, url) != 0)
        i++;
    return i;
}
