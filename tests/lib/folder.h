#ifndef SL_TESTS_LIB_FOLDER_H
#define SL_TESTS_LIB_FOLDER_H

/* A fresh folder on the real disk for one test, and the text of files in it. */

#include <stddef.h>

enum { FOLDER_PATH_BYTES = 256, FOLDER_TEXT_BYTES_MAX = 1 << 20 };

/* Make an empty folder of a unique name. */
void folder_make(char path[FOLDER_PATH_BYTES]);
/* Remove it with all that is in it. */
void folder_remove(const char *path);
/* path + "/" + name into out. */
void folder_join(char out[FOLDER_PATH_BYTES], const char *path, const char *name);
/* The text of a file, valid until the next call; NULL when there is none of that name. */
const char *folder_read(const char *path, const char *name);
/* How many entries the folder itself has. */
size_t folder_count(const char *path);

#endif
