#ifndef SL_BASE_VERSION_H
#define SL_BASE_VERSION_H

/* What a program says when it is asked for its version. */

#include <stdio.h>

/* "v0.1.0"; the form that deployment tools expect. */
extern const char sl_version_release[];

/* The text of -V, as of the original (pump spec 6.3): five lines that deployment tools read, and an
 * empty one. The build leaves no trace of when and where it ran, so that two builds of one source
 * are the same bytes; what the original says of them is "Not provided". */
void sl_version_write(FILE *out);

#endif
