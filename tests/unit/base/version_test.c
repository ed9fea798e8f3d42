/* The text of -V keeps the form that deployment tools read. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/version.h"

static void the_version_is_five_lines_and_an_empty_one(void **state)
{
    static const char *const names[] = {"Release Version: v", "Git Commit Hash: ", "Build TS: ",
                                        "Go Version: ", "Go OS/Arch: linux/"};
    char                    *text = NULL;
    size_t                   bytes = 0;
    FILE                    *out = open_memstream(&text, &bytes);
    const char              *at;

    (void)state;
    sl_version_write(out);
    assert_int_equal(fclose(out), 0);
    at = text;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(strncmp(at, names[i], strlen(names[i])), 0);
        assert_true(strcspn(at, "\n") > strlen(names[i]));
        at += strcspn(at, "\n") + 1;
    }
    assert_string_equal(at, "\n");
    free(text);
}

static void the_release_is_a_version_of_three_numbers(void **state)
{
    unsigned part[3];
    char     end;

    (void)state;
    assert_int_equal(sscanf(sl_version_release, "v%u.%u.%u%c", &part[0], &part[1], &part[2], &end),
                     3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_version_is_five_lines_and_an_empty_one),
        cmocka_unit_test(the_release_is_a_version_of_three_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
