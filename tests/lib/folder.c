#include "lib/folder.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

enum { DESCRIPTORS = 16 };

void folder_make(char path[FOLDER_PATH_BYTES])
{
    (void)snprintf(path, FOLDER_PATH_BYTES, "/tmp/sluice_test_XXXXXX");
    if (mkdtemp(path) == NULL)
        SL_PANIC("no folder %s", path);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void folder_remove(const char *path)
{
    if (nftw(path, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS) != 0)
        SL_PANIC("cannot remove %s", path);
}

void folder_join(char out[FOLDER_PATH_BYTES], const char *path, const char *name)
{
    int n = snprintf(out, FOLDER_PATH_BYTES, "%s/%s", path, name);

    SL_ASSERT(n > 0 && n < FOLDER_PATH_BYTES);
}

const char *folder_read(const char *path, const char *name)
{
    static char text[FOLDER_TEXT_BYTES_MAX];
    char        full[FOLDER_PATH_BYTES];
    FILE       *file;
    size_t      count;

    folder_join(full, path, name);
    file = fopen(full, "re");
    if (file == NULL)
        return NULL;
    count = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    SL_ASSERT(count < sizeof text);
    text[count] = '\0';
    return text;
}

size_t folder_count(const char *path)
{
    DIR   *dir = opendir(path);
    size_t count = 0;

    SL_ASSERT(dir != NULL);
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count - 2; /* . and .. */
}
