#ifndef SL_NET_H2_FIELDS_H
#define SL_NET_H2_FIELDS_H

/* Names of the header fields of net/h2.h, and headers that are kept. */

#include "net/h2.h"

/* Static, in lower case. */
struct sl_slice h2_field_name(enum sl_h2_field field);
/* SL_H2_FIELDS for a name that is not looked at. */
enum sl_h2_field h2_field_of(struct sl_slice name);

/* A copy that owns its bytes; free() it. */
struct sl_h2_headers *h2_headers_copy(const struct sl_h2_headers *headers);

#endif
