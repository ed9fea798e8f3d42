#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/conf_private.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;

    return ab < c ? ab : c;
}

unsigned conf_distance(const char *a, const char *b)
{
    unsigned row[SL_NAME_BYTES_MAX + 1];
    size_t   a_bytes = strlen(a);
    size_t   b_bytes = strlen(b);

    if (a_bytes > SL_NAME_BYTES_MAX || b_bytes > SL_NAME_BYTES_MAX)
        return UINT_MAX;
    for (size_t j = 0; j <= b_bytes; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_bytes; i++) {
        unsigned diagonal = row[0]; /* distance of the first i - 1 letters of a and j - 1 of b */

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_bytes; j++) {
            unsigned above = row[j];

            row[j] =
                least(above + 1, row[j - 1] + 1, diagonal + (lower(a[i - 1]) != lower(b[j - 1])));
            diagonal = above;
        }
    }
    return row[b_bytes];
}

/* A word this far away may still be a slip of the fingers. */
static unsigned near_enough(const char *name)
{
    return 1 + (unsigned)(strlen(name) / 4);
}

const char *sl_conf_nearest(const char *word, const char *const *words, size_t count)
{
    unsigned    best = near_enough(word) + 1;
    const char *found = NULL;

    for (size_t i = 0; i < count; i++) {
        unsigned distance = conf_distance(word, words[i]);

        if (distance < best) {
            best = distance;
            found = words[i];
        }
    }
    return found;
}

/* The right name in the wrong section counts as one slip. The names themselves must be near: a long
 * section would make room for another word. */
static unsigned key_distance(const char *name, const char *key)
{
    const char *name_tail = strrchr(name, '.');
    const char *key_tail = strrchr(key, '.');

    name_tail = name_tail != NULL ? name_tail + 1 : name;
    key_tail = key_tail != NULL ? key_tail + 1 : key;
    if (strcasecmp(name_tail, key_tail) == 0)
        return 1;
    return conf_distance(name_tail, key_tail) <= near_enough(name_tail) ? conf_distance(name, key)
                                                                        : UINT_MAX;
}

const char *conf_nearest_key(const struct sl_conf_table *table, const char *name)
{
    unsigned    best = near_enough(name) + 1;
    const char *found = NULL;

    for (size_t i = 0; i < table->row_count; i++) {
        const char *key = table->rows[i].key;
        unsigned    distance = key != NULL ? key_distance(name, key) : UINT_MAX;

        if (distance < best) {
            best = distance;
            found = key;
        }
    }
    return found;
}

const char *conf_nearest_flag(const struct sl_conf_table *table, const char *name)
{
    unsigned    best = near_enough(name) + 1;
    const char *found = NULL;

    for (size_t i = 0; i < table->row_count; i++) {
        const char *flag = table->rows[i].flag;
        unsigned    distance = flag != NULL ? conf_distance(name, flag) : UINT_MAX;

        if (distance < best) {
            best = distance;
            found = flag;
        }
    }
    return found;
}
