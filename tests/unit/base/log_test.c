/* The log as programs use it: levels, rate limit with a clock that stands still, rotation and lost
 * lines into a real folder, many threads at once. What it writes before it is set up is read from a
 * child's standard error. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "lib/child.h"
#include "lib/folder.h"

static sl_nanos mono_now;
static int64_t  wall_now;

static sl_nanos fixed_now(struct sl_clock *clock)
{
    (void)clock;
    return mono_now;
}

static int64_t fixed_wall(struct sl_clock *clock)
{
    (void)clock;
    return wall_now;
}

static struct sl_clock     fixed_clock = {.now = fixed_now, .wall = fixed_wall};
static const struct sl_env env = {.clock = &fixed_clock};

static char          folder[FOLDER_PATH_BYTES];
static char          path[FOLDER_PATH_BYTES];
static struct sl_why why;

static int make_folder(void **state)
{
    (void)state;
    mono_now = 5 * (sl_nanos)SL_NANOS_PER_S;
    wall_now = INT64_C(1556443799016000000); /* 2019-04-28 09:29:59.016 UTC */
    folder_make(folder);
    folder_join(path, folder, "x.log");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    sl_log_done();
    folder_remove(folder);
    return 0;
}

static void start(struct sl_log_options options)
{
    options.path = options.path != NULL ? options.path : path;
    assert_int_equal(sl_log_init(&env, &options, &why), SL_OK);
}

static const char *logged(void)
{
    const char *text = folder_read(folder, "x.log");

    assert_non_null(text);
    return text;
}

static unsigned times(const char *text, const char *words)
{
    unsigned count = 0;

    for (; (text = strstr(text, words)) != NULL; text++)
        count++;
    return count;
}

static void a_call_becomes_a_line_with_its_place(void **state)
{
    char wanted[256];
    int  line;

    (void)state;
    start((struct sl_log_options){.level = SL_LOG_INFO});
    line = __LINE__ + 1;
    sl_log(SL_LOG_WARN, "handler runs too long", sl_field_nanos("running", 1500000000));
    sl_log(SL_LOG_INFO, "bare");
    (void)snprintf(wanted, sizeof wanted,
                   "[2019/04/28 09:29:59.016 +00:00] [WARN] [log_test.c:%d]"
                   " [\"handler runs too long\"] [running=1.5s]\n"
                   "[2019/04/28 09:29:59.016 +00:00] [INFO] [log_test.c:%d] [bare]\n",
                   line, line + 1);
    assert_string_equal(logged(), wanted);
}

static void json_is_a_matter_of_options(void **state)
{
    (void)state;
    start((struct sl_log_options){.level = SL_LOG_INFO, .format = SL_LOG_JSON});
    sl_log(SL_LOG_ERROR, "m", sl_field_bool("b", true));
    assert_int_equal(strncmp(logged(), "{\"time\":\"2019-", 14), 0);
    assert_non_null(strstr(logged(), "\"level\":\"ERROR\""));
    assert_non_null(strstr(logged(), "\"message\":\"m\",\"b\":true}\n"));
}

static void levels_are_read_in_any_case(void **state)
{
    static const char *const names[] = {"debug",  "INFO",  "Warn", "error",
                                        "dpanic", "panic", "FATAL"};
    enum sl_log_level        level = SL_LOG_DEBUG;

    (void)state;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(sl_log_level_parse(names[i], &level, &why), SL_OK);
        assert_int_equal(level, i);
        assert_int_equal(strcasecmp(sl_log_level_name(level), names[i]), 0);
    }
    assert_int_equal(sl_log_level_parse("", &level, &why), SL_OK);
    assert_int_equal(level, SL_LOG_INFO);
}

static void other_words_are_no_levels(void **state)
{
    static const char *const words[] = {"warning", "trace", " info", "info ", "1"};
    enum sl_log_level        level = SL_LOG_ERROR;

    (void)state;
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_int_equal(sl_log_level_parse(words[i], &level, &why), SL_INVALID);
        assert_non_null(strstr(why.text, words[i]));
        assert_int_equal(level, SL_LOG_ERROR);
    }
}

static int calls;

static const char *counted(void)
{
    calls++;
    return "value";
}

static void the_level_can_change_at_run_time(void **state)
{
    (void)state;
    start((struct sl_log_options){.level = SL_LOG_WARN});
    calls = 0;
    for (int i = 0; i < 2; i++) {
        sl_log(SL_LOG_DEBUG, "low", sl_field_str("k", counted()));
        sl_log(SL_LOG_WARN, "high");
        assert_int_equal(calls, i); /* the fields of a line below the level are not evaluated */
        sl_log_set_level(SL_LOG_DEBUG);
    }
    assert_int_equal(sl_log_level(), SL_LOG_DEBUG);
    assert_int_equal(times(logged(), "[low]"), 1);
    assert_int_equal(times(logged(), "[high]"), 2);
}

static void say(enum sl_log_level level, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sl_log(level, "again", sl_field_u64("i", i));
}

static void a_site_is_limited_and_tells_what_it_left_out(void **state)
{
    (void)state;
    start((struct sl_log_options){.level = SL_LOG_INFO});
    say(SL_LOG_WARN, SL_LOG_SITE_LINES_PER_S + 7);
    assert_int_equal(times(logged(), "[again]"), SL_LOG_SITE_LINES_PER_S);
    assert_null(strstr(logged(), "suppressed"));
    mono_now += SL_NANOS_PER_S - 1; /* the same second still */
    say(SL_LOG_WARN, 1);
    assert_int_equal(times(logged(), "[again]"), SL_LOG_SITE_LINES_PER_S);
    mono_now += 1;
    say(SL_LOG_WARN, 2);
    assert_int_equal(times(logged(), "[again]"), SL_LOG_SITE_LINES_PER_S + 2);
    assert_int_equal(times(logged(), "[again] [suppressed=8] [i=0]"), 1);
    assert_int_equal(times(logged(), "suppressed"), 1);
}

static void one_noisy_site_does_not_silence_another(void **state)
{
    (void)state;
    start((struct sl_log_options){.level = SL_LOG_INFO});
    mono_now += 100 * (sl_nanos)SL_NANOS_PER_S;
    say(SL_LOG_WARN, 2 * SL_LOG_SITE_LINES_PER_S);
    sl_log(SL_LOG_WARN, "other");
    assert_int_equal(times(logged(), "[other]"), 1);
}

static void fatal_lines_always_pass(void **state)
{
    (void)state;
    start((struct sl_log_options){.level = SL_LOG_INFO});
    say(SL_LOG_FATAL, 2 * SL_LOG_SITE_LINES_PER_S);
    assert_int_equal(times(logged(), "[FATAL]"), 2 * SL_LOG_SITE_LINES_PER_S);
}

static void long_lines_are_cut_at_the_limit(void **state)
{
    static char value[2 * SL_LOG_LINE_BYTES_MAX];

    (void)state;
    memset(value, 'a', sizeof value - 1);
    start((struct sl_log_options){.level = SL_LOG_INFO});
    sl_log(SL_LOG_WARN, "long", sl_field_str("k", value), sl_field_u64("gone", 1));
    assert_in_range(strlen(logged()), SL_LOG_LINE_BYTES_MAX - 32, SL_LOG_LINE_BYTES_MAX);
    assert_non_null(strstr(logged(), "aaa] [cut=true]\n"));
}

static void a_full_file_is_rotated_and_none_is_lost(void **state)
{
    unsigned files;
    int      fd;

    (void)state;
    start((struct sl_log_options){.level = SL_LOG_INFO, .rotate_bytes = 200});
    fd = sl_log_fd();
    for (unsigned i = 0; i < 6; i++) {
        sl_log(SL_LOG_INFO, "a line of some length", sl_field_u64("i", i));
        wall_now += 2 * (int64_t)SL_NANOS_PER_MS;
    }
    assert_int_equal(sl_log_fd(), fd);
    files = (unsigned)folder_count(folder);
    assert_int_equal(files, 3); /* two lines of 90-odd bytes each */
    assert_int_equal(times(folder_read(folder, "x-2019-04-28T09-29-59.020.log"), "\n"), 2);
    assert_non_null(strstr(folder_read(folder, "x-2019-04-28T09-29-59.024.log"), "[i=3]"));
    assert_non_null(strstr(logged(), "[i=5]"));
    assert_int_equal(sl_log_lost_count(), 0);
}

static void a_rotation_that_fails_is_told_and_loses_nothing(void **state)
{
    char aside[FOLDER_PATH_BYTES];
    char deep[FOLDER_PATH_BYTES];
    char dir[FOLDER_PATH_BYTES];

    (void)state;
    folder_join(deep, folder, "d/x.log");
    folder_join(dir, folder, "d");
    folder_join(aside, folder, "e");
    start((struct sl_log_options){.level = SL_LOG_INFO, .path = deep, .rotate_bytes = 100});
    sl_log(SL_LOG_INFO, "one", sl_field_str("k", "a value of some length"));
    assert_int_equal(rename(dir, aside), 0);
    (void)fclose(fopen(dir, "we"));
    sl_log(SL_LOG_INFO, "two", sl_field_str("k", "a value of some length"));
    assert_non_null(strstr(folder_read(folder, "e/x.log"), "[\"log rotation failed\"] [error="));
    assert_non_null(strstr(folder_read(folder, "e/x.log"), "[two]"));
}

/* A link that first leads to a device that is always full, then to a file. */
static void lost_lines_are_counted_and_told(void **state)
{
    const char *text;

    (void)state;
    assert_int_equal(symlink("/dev/full", path), 0);
    start((struct sl_log_options){.level = SL_LOG_INFO});
    for (unsigned i = 0; i < 3; i++)
        sl_log(SL_LOG_INFO, "lost");
    assert_int_equal(sl_log_lost_count(), 3);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(sl_log_reopen(&why), SL_OK);
    sl_log(SL_LOG_INFO, "first");
    sl_log(SL_LOG_INFO, "second");
    assert_int_equal(sl_log_lost_count(), 3);
    text = logged();
    assert_int_equal(times(text, "\n"), 3);
    assert_int_equal(times(text, "[WARN] [log.c:"), 1);
    text = strstr(text, " [\"log lines lost\"] [count=3] [error=\"write ");
    assert_non_null(text);
    assert_non_null(strstr(text, "x.log: No space left on device\"]\n"));
    assert_non_null(strstr(text, "[first]"));
}

static void a_reader_that_went_away_does_not_end_the_process(void **state)
{
    int pair[2];
    int stdout_before = dup(STDOUT_FILENO);

    (void)state;
    assert_int_equal(pipe(pair), 0);
    (void)fflush(stdout);
    assert_int_equal(dup2(pair[1], STDOUT_FILENO), STDOUT_FILENO);
    start((struct sl_log_options){.level = SL_LOG_INFO, .path = ""});
    assert_int_equal(sl_log_fd(), -1);
    (void)close(pair[0]);
    sl_log(SL_LOG_INFO, "into nothing");
    assert_int_equal(dup2(stdout_before, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(stdout_before);
    (void)close(pair[1]);
    assert_int_equal(sl_log_lost_count(), 1);
}

static void lines_go_to_standard_error_when_output_is_for_data(void **state)
{
    int  pair[2];
    int  stderr_before = dup(STDERR_FILENO);
    char line[256] = "";

    (void)state;
    assert_int_equal(pipe(pair), 0);
    assert_int_equal(dup2(pair[1], STDERR_FILENO), STDERR_FILENO);
    start((struct sl_log_options){.level = SL_LOG_INFO, .path = "", .to_stderr = true});
    assert_int_equal(sl_log_fd(), -1);
    sl_log(SL_LOG_INFO, "aside");
    assert_int_equal(dup2(stderr_before, STDERR_FILENO), STDERR_FILENO);
    (void)close(stderr_before);
    (void)close(pair[1]);
    assert_true(read(pair[0], line, sizeof line - 1) > 0);
    (void)close(pair[0]);
    assert_non_null(strstr(line, "[aside]"));
}

static void a_file_that_cannot_be_opened_leaves_the_log_as_it_was(void **state)
{
    const struct sl_log_options options = {.level = SL_LOG_FATAL, .path = folder};

    (void)state;
    assert_int_not_equal(sl_log_init(&env, &options, &why), SL_OK);
    assert_int_equal(sl_log_level(), SL_LOG_INFO);
    assert_int_equal(sl_log_fd(), -1);
}

static void times_are_local(void **state)
{
    (void)state;
    assert_int_equal(setenv("TZ", "IST-5:30", 1), 0);
    tzset();
    start((struct sl_log_options){.level = SL_LOG_INFO});
    sl_log(SL_LOG_INFO, "m");
    assert_int_equal(setenv("TZ", "UTC", 1), 0);
    tzset();
    assert_int_equal(strncmp(logged(), "[2019/04/28 14:59:59.016 +05:30]", 32), 0);
}

static void log_before_setup(void)
{
    sl_log(SL_LOG_DEBUG, "hidden");
    sl_log(SL_LOG_INFO, "early", sl_field_str("k", "v"));
}

static void before_setup_lines_go_to_standard_error(void **state)
{
    const struct child_end *end = child_run(log_before_setup);

    (void)state;
    assert_int_equal(end->signal, 0);
    assert_int_equal(end->exit_code, 0);
    assert_int_equal(times(end->text, "[INFO] [log_test.c:"), 1);
    assert_non_null(strstr(end->text, "] [early] [k=v]\n"));
    assert_null(strstr(end->text, "hidden"));
}

enum { THREADS = 4, LINES_PER_THREAD = 300, FILLER_BYTES = 500 };

/* Fatal, so that the rate limit lets all of them pass. */
static void *log_many(void *argument)
{
    char filler[FILLER_BYTES];

    memset(filler, 'a' + (int)(intptr_t)argument, sizeof filler);
    for (unsigned i = 0; i < LINES_PER_THREAD; i++)
        sl_log(SL_LOG_FATAL, "m", sl_field_bytes("k", filler, sizeof filler));
    return NULL;
}

static void lines_of_many_threads_never_mix(void **state)
{
    pthread_t threads[THREADS];
    unsigned  lines[THREADS] = {0};
    char     *rest;

    (void)state;
    start((struct sl_log_options){.level = SL_LOG_INFO});
    for (intptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, (void *)i), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    rest = (char *)(uintptr_t)logged();
    for (char *line; (line = strsep(&rest, "\n")) != NULL && line[0] != '\0';) {
        const char *value = strstr(line, " [m] [k=");
        char        letter;

        assert_non_null(value);
        letter = value[8];
        assert_int_equal(strspn(value + 8, (char[]){letter, '\0'}), FILLER_BYTES);
        assert_string_equal(value + 8 + FILLER_BYTES, "]");
        assert_in_range(letter, 'a', 'a' + THREADS - 1);
        lines[letter - 'a']++;
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(lines[i], LINES_PER_THREAD);
}

static void *say_some(void *argument)
{
    (void)argument;
    say(SL_LOG_INFO, LINES_PER_THREAD);
    return NULL;
}

static void threads_share_the_limit_of_a_site(void **state)
{
    pthread_t threads[THREADS];
    char      wanted[64];

    (void)state;
    start((struct sl_log_options){.level = SL_LOG_INFO});
    mono_now += 1000 * (sl_nanos)SL_NANOS_PER_S;
    say(SL_LOG_INFO, 1); /* takes along what earlier tests left untold */
    mono_now += SL_NANOS_PER_S;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, say_some, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(times(logged(), "[again]"), 1 + SL_LOG_SITE_LINES_PER_S);
    mono_now += SL_NANOS_PER_S;
    say(SL_LOG_INFO, 1);
    (void)snprintf(wanted, sizeof wanted, "[suppressed=%d]",
                   THREADS * LINES_PER_THREAD - SL_LOG_SITE_LINES_PER_S);
    assert_non_null(strstr(logged(), wanted));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(a_call_becomes_a_line_with_its_place),
        TEST(json_is_a_matter_of_options),
        TEST(levels_are_read_in_any_case),
        TEST(other_words_are_no_levels),
        TEST(the_level_can_change_at_run_time),
        TEST(a_site_is_limited_and_tells_what_it_left_out),
        TEST(one_noisy_site_does_not_silence_another),
        TEST(fatal_lines_always_pass),
        TEST(long_lines_are_cut_at_the_limit),
        TEST(a_full_file_is_rotated_and_none_is_lost),
        TEST(a_rotation_that_fails_is_told_and_loses_nothing),
        TEST(lost_lines_are_counted_and_told),
        TEST(a_reader_that_went_away_does_not_end_the_process),
        TEST(a_file_that_cannot_be_opened_leaves_the_log_as_it_was),
        TEST(times_are_local),
        TEST(before_setup_lines_go_to_standard_error),
        TEST(lines_go_to_standard_error_when_output_is_for_data),
        TEST(lines_of_many_threads_never_mix),
        TEST(threads_share_the_limit_of_a_site),
    };
#undef TEST

    (void)setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
