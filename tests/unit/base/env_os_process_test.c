/* Other programs and folders: what a program says goes into its log, its end is told with its code,
 * it is ended with what it has started, and a folder is removed with all in it but not beyond. */

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "base/env_os_process.h"
#include "lib/folder.h"

/* A shell with this script; its log is `log` in the folder. */
static struct sl_process *shell(const char *folder, const char *script)
{
    const char *const         argv[] = {"/bin/sh", "-c", script, NULL};
    char                      log[FOLDER_PATH_BYTES];
    struct sl_process_options options = {.argv = argv, .log = log};
    struct sl_process        *process;
    struct sl_why             why = {0};

    folder_join(log, folder, "log");
    if (sl_process_start(&options, &process, &why) != SL_OK)
        fail_msg("%s", why.text);
    return process;
}

static int wait_for_end(struct sl_process *process)
{
    int code;

    while (!sl_process_has_ended(process, &code))
        (void)sched_yield();
    return code;
}

static void read_log(const char *folder, char *out, size_t size)
{
    char   path[FOLDER_PATH_BYTES];
    size_t count;

    folder_join(path, folder, "log");
    assert_int_equal(sl_fs_read(sl_env_os()->fs, path, out, size - 1, &count, NULL), SL_OK);
    out[count] = '\0';
}

static void output_goes_to_the_log_and_the_end_has_its_code(void **state)
{
    char               folder[FOLDER_PATH_BYTES];
    char               text[64];
    struct sl_process *process;

    (void)state;
    folder_make(folder);
    process = shell(folder, "echo out; echo err >&2; read x || echo nothing; exit 3");
    assert_int_equal(wait_for_end(process), 3);
    sl_process_end(&process, 0);
    assert_null(process);
    read_log(folder, text, sizeof text);
    assert_string_equal(text, "out\nerr\nnothing\n");
    process = shell(folder, "kill -9 $$");
    assert_int_equal(wait_for_end(process), 128 + SIGKILL);
    sl_process_end(&process, 0);
    folder_remove(folder);
}

/* Until init has waited for it, it may be a zombie for long. */
static bool is_running(int pid)
{
    char  path[64];
    char  stat[512] = "";
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (file == NULL)
        return false;
    if (fgets(stat, sizeof stat, file) == NULL)
        stat[0] = '\0';
    (void)fclose(file);
    return stat[0] != '\0' && strstr(stat, ") Z ") == NULL;
}

/* The script says the id of what it has started. */
static void end_with_child(const char *script, bool by_itself)
{
    char               folder[FOLDER_PATH_BYTES];
    char               text[64] = "";
    struct sl_process *process;
    int                child;

    folder_make(folder);
    process = shell(folder, script);
    while (strchr(text, '\n') == NULL)
        read_log(folder, text, sizeof text);
    assert_int_equal(sscanf(text, "%d", &child), 1);
    if (by_itself)
        assert_int_equal(wait_for_end(process), 4);
    assert_true(is_running(child));
    sl_process_end(&process, 0);
    while (is_running(child))
        (void)sched_yield();
    folder_remove(folder);
}

static void it_is_ended_with_what_it_has_started(void **state)
{
    (void)state;
    end_with_child("trap '' TERM; sleep 1000 & echo $!; wait; wait; sleep 1000", false);
    end_with_child("sh -c \"trap '' TERM; sleep 1000; sleep 1000\" & echo $!; wait", false);
    end_with_child("sleep 1000 & echo $!; exit 4", true);
}

static void a_program_that_is_none_says_so(void **state)
{
    const char *const         argv[] = {"/no/such/program", NULL};
    char                      folder[FOLDER_PATH_BYTES];
    char                      log[FOLDER_PATH_BYTES];
    struct sl_process_options options = {.argv = argv, .log = log};
    struct sl_process        *process;
    char                      path[SL_PATH_BYTES_MAX];
    struct sl_why             why = {0};

    (void)state;
    folder_make(folder);
    folder_join(log, folder, "log");
    assert_int_equal(sl_process_start(&options, &process, &why), SL_OK);
    assert_int_equal(wait_for_end(process), 127);
    sl_process_end(&process, 0);
    assert_int_equal(sl_program_find("sh", path, &why), SL_OK);
    assert_int_equal(sl_program_find("no-such-program", path, &why), SL_NOT_FOUND);
    folder_remove(folder);
}

static void a_folder_goes_with_all_in_it_and_nothing_else(void **state)
{
    struct sl_fs       *fs = sl_env_os()->fs;
    char                folder[SL_PATH_BYTES_MAX];
    char                outside[FOLDER_PATH_BYTES];
    char                kept[FOLDER_PATH_BYTES];
    char                path[SL_PATH_BYTES_MAX];
    struct sl_why       why = {0};
    struct sl_file     *file;
    struct sl_file_info info;

    (void)state;
    folder_make(outside);
    folder_join(kept, outside, "kept");
    assert_int_equal(sl_fs_create(fs, kept, &file, &why), SL_OK);
    sl_file_close(&file);
    assert_int_equal(sl_folder_temporary("sluice-test-", folder, &why), SL_OK);
    assert_int_equal(sl_path_join(path, folder, "a", &why), SL_OK);
    assert_int_equal(sl_fs_mkdir(fs, path, &why), SL_OK);
    assert_int_equal(sl_path_join(path, folder, "a/link", &why), SL_OK);
    assert_int_equal(symlink(outside, path), 0);
    assert_int_equal(sl_folder_remove(folder, &why), SL_OK);
    assert_int_equal(sl_fs_info(fs, folder, &info, &why), SL_NOT_FOUND);
    assert_int_equal(sl_fs_info(fs, kept, &info, &why), SL_OK);
    folder_remove(outside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_goes_to_the_log_and_the_end_has_its_code),
        cmocka_unit_test(it_is_ended_with_what_it_has_started),
        cmocka_unit_test(a_program_that_is_none_says_so),
        cmocka_unit_test(a_folder_goes_with_all_in_it_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
