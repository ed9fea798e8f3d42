/* The simulated network: connections, order, bounds, ends and resets; and that the seed alone
 * decides. A test moves time to the next event, as the seeded scheduler does. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/env_sim.h"

enum { SEEDS = 100, READABLE = SL_SOCKET_READABLE, WRITABLE = SL_SOCKET_WRITABLE };

struct link {
    struct sl_env_sim *sim;
    struct sl_net     *net;
    struct sl_socket  *listener;
    struct sl_socket  *near;
    struct sl_socket  *far;
};

static sl_nanos now(struct sl_env_sim *sim)
{
    return sl_env_now(sl_env_sim_env(sim));
}

/* False: nothing will happen by itself. */
static bool step(struct sl_env_sim *sim)
{
    sl_nanos next = sl_env_sim_next_event(sim);

    if (next == UINT64_MAX)
        return false;
    assert_true(next > now(sim));
    sl_env_sim_advance(sim, next - now(sim));
    return true;
}

static void settle(struct sl_env_sim *sim)
{
    while (step(sim))
        ;
}

static struct link link_new(uint64_t seed)
{
    struct link l = {.sim = sl_env_sim_new(seed)};

    l.net = sl_env_sim_env(l.sim)->net;
    assert_int_equal(sl_net_listen(l.net, "pump:8250", &l.listener, NULL), SL_OK);
    return l;
}

static void link_connect(struct link *l)
{
    assert_int_equal(sl_net_connect(l->net, "pump:8250", &l->near, NULL), SL_OK);
    settle(l->sim);
    assert_int_equal(sl_socket_connected(l->near, NULL), SL_OK);
    assert_int_equal(sl_socket_accept(l->listener, &l->far, NULL), SL_OK);
}

static void link_free(struct link *l)
{
    sl_socket_close(&l->near);
    sl_socket_close(&l->far);
    sl_socket_close(&l->listener);
    sl_env_sim_free(&l->sim);
}

/* ---- connecting ---- */

static void connecting_takes_time_and_the_listener_sees_it_first(void **state)
{
    struct link l = link_new(1);
    char        near[SL_ADDR_BYTES_MAX];
    char        far[SL_ADDR_BYTES_MAX];
    char        byte;
    size_t      count;

    (void)state;
    assert_int_equal(sl_env_sim_next_event(l.sim), UINT64_MAX);
    assert_int_equal(sl_net_connect(l.net, "pump:8250", &l.near, NULL), SL_OK);
    assert_int_equal(sl_socket_fd(l.near), -1);
    assert_int_equal(sl_socket_connected(l.near, NULL), SL_AGAIN);
    assert_int_equal(sl_socket_ready(l.near), 0);
    assert_int_equal(sl_socket_write(l.near, "x", 1, &count, NULL), SL_AGAIN);
    assert_int_equal(sl_socket_read(l.near, &byte, 1, &count, NULL), SL_AGAIN);
    assert_int_equal(sl_socket_accept(l.listener, &l.far, NULL), SL_AGAIN);
    assert_int_equal(sl_socket_ready(l.listener), 0);
    assert_true(step(l.sim));
    assert_int_equal(sl_socket_ready(l.listener), READABLE);
    assert_int_equal(sl_socket_accept(l.listener, &l.far, NULL), SL_OK);
    assert_int_equal(sl_socket_ready(l.listener), 0);
    assert_int_equal(sl_socket_connected(l.near, NULL), SL_AGAIN);
    assert_true(step(l.sim));
    assert_int_equal(sl_socket_connected(l.near, NULL), SL_OK);
    assert_int_equal(sl_socket_ready(l.near), WRITABLE);
    sl_socket_local(l.near, near);
    sl_socket_peer(l.far, far);
    assert_string_equal(near, far);
    link_free(&l);
}

static void nobody_listening_is_told_after_a_while(void **state)
{
    struct link   l = link_new(1);
    struct sl_why why = {0};
    char          byte;
    size_t        count;

    (void)state;
    assert_int_equal(sl_net_connect(l.net, "pump:8251", &l.near, NULL), SL_OK);
    assert_int_equal(sl_socket_connected(l.near, NULL), SL_AGAIN);
    settle(l.sim);
    assert_int_equal(sl_socket_ready(l.near), READABLE | WRITABLE);
    assert_int_equal(sl_socket_connected(l.near, &why), SL_UNAVAILABLE);
    assert_string_equal(why.text, "connect to pump:8251: Connection refused");
    assert_int_equal(sl_socket_read(l.near, &byte, 1, &count, NULL), SL_RESET);
    link_free(&l);
}

static void addresses_are_text_with_a_few_rules(void **state)
{
    struct link       l = link_new(1);
    struct sl_socket *other = NULL;
    char              name[SL_ADDR_BYTES_MAX];

    (void)state;
    assert_int_equal(sl_net_listen(l.net, "pump:8250", &other, NULL), SL_IN_USE);
    assert_int_equal(sl_net_listen(l.net, "pump", &other, NULL), SL_INVALID);
    assert_int_equal(sl_net_connect(l.net, "pump:", &other, NULL), SL_INVALID);
    assert_int_equal(sl_net_listen(l.net, "pump:0", &other, NULL), SL_OK);
    sl_socket_local(other, name);
    assert_int_equal(strncmp(name, "pump:", 5), 0);
    assert_string_not_equal(name, "pump:0");
    sl_socket_close(&other);
    assert_int_equal(sl_net_listen(l.net, ":8251", &other, NULL), SL_OK);
    assert_int_equal(sl_net_connect(l.net, "any.host:8251", &l.near, NULL), SL_OK);
    settle(l.sim);
    assert_int_equal(sl_socket_connected(l.near, NULL), SL_OK);
    sl_socket_close(&other);
    assert_int_equal(sl_net_listen(l.net, "unix:/run/s", &other, NULL), SL_OK);
    sl_socket_close(&other);
    link_free(&l);
}

/* ---- bytes ---- */

static uint64_t noted(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * 0x100000001b3u;
}

/* The letter at this place of the stream that all tests send. */
static uint8_t letter_at(size_t place)
{
    return (uint8_t)(place * 31 + place / 251);
}

struct transfer {
    size_t   sent;
    size_t   received;
    unsigned full;      /* writes that found no room */
    unsigned too_short; /* writes that moved less than was asked */
    bool     ended;
    uint64_t hash; /* of all that could be seen, with its time */
};

enum { STREAM_BYTES = 20000, BLOCK = 512 };

/* Whatever readiness says must be so. */
static void send_some(struct link *l, struct transfer *t)
{
    bool        writable = (sl_socket_ready(l->near) & WRITABLE) != 0;
    uint8_t     block[BLOCK];
    size_t      left = STREAM_BYTES - t->sent;
    size_t      count = left < BLOCK ? left : BLOCK;
    size_t      put = 0;
    enum sl_err err;

    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        block[i] = letter_at(t->sent + i);
    err = sl_socket_write(l->near, block, count, &put, NULL);
    assert_int_equal(err, writable ? SL_OK : SL_AGAIN);
    t->full += !writable;
    t->too_short += put > 0 && put < count;
    t->sent += put;
    t->hash = noted(noted(t->hash, now(l->sim)), put);
    if (t->sent == STREAM_BYTES)
        assert_int_equal(sl_socket_shut(l->near, NULL), SL_OK);
}

static void receive_some(struct link *l, struct transfer *t)
{
    bool        readable = (sl_socket_ready(l->far) & READABLE) != 0;
    uint8_t     block[BLOCK];
    size_t      got = 0;
    enum sl_err err = sl_socket_read(l->far, block, BLOCK, &got, NULL);

    assert_int_equal(err, readable ? SL_OK : SL_AGAIN);
    if (!readable)
        return;
    for (size_t i = 0; i < got; i++)
        assert_int_equal(block[i], letter_at(t->received + i));
    t->received += got;
    t->ended = got == 0;
    t->hash = noted(noted(t->hash, now(l->sim)), got);
}

static struct transfer transferred(uint64_t seed, uint32_t buffer_bytes)
{
    struct link     l = link_new(seed);
    struct transfer t = {0};

    sl_env_sim_net(l.sim)->buffer_bytes = buffer_bytes;
    link_connect(&l);
    for (int turn = 0; !t.ended && turn < 100000; turn++) {
        send_some(&l, &t);
        receive_some(&l, &t);
        if (turn % 3 == 0)
            (void)step(l.sim);
    }
    link_free(&l);
    return t;
}

static void bytes_arrive_whole_and_in_order_through_small_buffers(void **state)
{
    unsigned too_short = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct transfer t = transferred(seed, seed % 2 == 0 ? 1000 : 65536);

        assert_true(t.ended);
        assert_int_equal(t.received, STREAM_BYTES);
        assert_true(seed % 2 != 0 || t.full > 0);
        too_short += t.too_short;
    }
    assert_true(too_short > SEEDS);
}

static void the_seed_decides_everything(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct transfer first = transferred(seed, 1000);
        struct transfer again = transferred(seed, 1000);
        struct transfer other = transferred(seed + 1, 1000);

        assert_int_equal(first.hash, again.hash);
        assert_int_not_equal(first.hash, other.hash);
    }
}

static void delays_stay_in_their_range(void **state)
{
    struct link l = link_new(1);
    size_t      put;

    (void)state;
    link_connect(&l);
    sl_env_sim_net(l.sim)->delay_min = 7 * SL_NANOS_PER_MS;
    sl_env_sim_net(l.sim)->delay_max = 9 * SL_NANOS_PER_MS;
    for (int i = 0; i < 100; i++) {
        sl_nanos before = now(l.sim);
        char     byte;
        size_t   got;

        assert_int_equal(sl_socket_write(l.near, "x", 1, &put, NULL), SL_OK);
        assert_true(step(l.sim));
        assert_in_range(now(l.sim) - before, 7 * SL_NANOS_PER_MS, 9 * SL_NANOS_PER_MS);
        assert_int_equal(sl_socket_read(l.far, &byte, 1, &got, NULL), SL_OK);
    }
    link_free(&l);
}

/* ---- ends ---- */

static void half_closed_still_hears_the_answer(void **state)
{
    struct link l = link_new(1);
    char        got[8] = {0};
    size_t      count = 9;

    (void)state;
    link_connect(&l);
    sl_env_sim_net(l.sim)->short_ppm = 0;
    assert_int_equal(sl_socket_shut(l.near, NULL), SL_OK);
    assert_int_equal(sl_socket_write(l.near, "x", 1, &count, NULL), SL_RESET);
    settle(l.sim);
    for (int i = 0; i < 2; i++) { /* the end stays the end */
        assert_int_equal(sl_socket_read(l.far, got, 1, &count, NULL), SL_OK);
        assert_int_equal(count, 0);
    }
    assert_int_equal(sl_socket_write(l.far, "answer", 6, &count, NULL), SL_OK);
    sl_socket_close(&l.far);
    settle(l.sim);
    assert_int_equal(sl_socket_read(l.near, got, 7, &count, NULL), SL_OK);
    assert_string_equal(got, "answer");
    assert_int_equal(sl_socket_read(l.near, got, 7, &count, NULL), SL_OK);
    assert_int_equal(count, 0);
    link_free(&l);
}

static void a_reset_on_demand_breaks_both_ends_and_loses_what_was_on_the_way(void **state)
{
    struct link   l = link_new(1);
    struct sl_why why = {0};
    char          byte;
    size_t        count;

    (void)state;
    link_connect(&l);
    assert_int_equal(sl_socket_write(l.near, "x", 1, &count, NULL), SL_OK);
    sl_env_sim_reset(l.sim, l.near);
    assert_int_equal(sl_socket_ready(l.far), READABLE | WRITABLE);
    assert_int_equal(sl_socket_read(l.far, &byte, 1, &count, &why), SL_RESET);
    assert_non_null(strstr(why.text, "Connection reset by peer (simulated)"));
    assert_int_equal(sl_socket_write(l.near, "x", 1, &count, NULL), SL_RESET);
    assert_int_equal(sl_socket_shut(l.near, NULL), SL_RESET);
    assert_int_equal(sl_env_sim_next_event(l.sim), UINT64_MAX);
    link_free(&l);
}

static void resets_come_by_chance(void **state)
{
    unsigned broken = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct link l = link_new(seed);
        size_t      count;

        link_connect(&l);
        sl_env_sim_net(l.sim)->reset_ppm = SL_ENV_SIM_ALWAYS_PPM / 2;
        broken += sl_socket_write(l.near, "x", 1, &count, NULL) == SL_RESET;
        link_free(&l);
    }
    assert_in_range(broken, SEEDS / 4, 3 * SEEDS / 4);
}

static void closing_with_unread_bytes_resets_the_peer(void **state)
{
    struct link l = link_new(1);
    char        byte;
    size_t      count;

    (void)state;
    link_connect(&l);
    assert_int_equal(sl_socket_write(l.near, "x", 1, &count, NULL), SL_OK);
    sl_socket_close(&l.far);
    settle(l.sim);
    assert_int_equal(sl_socket_read(l.near, &byte, 1, &count, NULL), SL_RESET);
    link_free(&l);
}

static void writing_to_the_closed_succeeds_once_and_then_resets(void **state)
{
    struct link l = link_new(1);
    size_t      count;

    (void)state;
    link_connect(&l);
    sl_socket_close(&l.far);
    settle(l.sim);
    assert_int_equal(sl_socket_write(l.near, "x", 1, &count, NULL), SL_OK);
    settle(l.sim);
    assert_int_equal(sl_socket_write(l.near, "x", 1, &count, NULL), SL_RESET);
    link_free(&l);
}

static void closing_the_listener_resets_those_who_wait(void **state)
{
    struct link       l = link_new(1);
    struct sl_socket *second = NULL;
    char              byte;
    size_t            count;

    (void)state;
    assert_int_equal(sl_net_connect(l.net, "pump:8250", &l.near, NULL), SL_OK);
    assert_int_equal(sl_net_connect(l.net, "pump:8250", &second, NULL), SL_OK);
    settle(l.sim);
    sl_socket_close(&second); /* before it was accepted */
    sl_socket_close(&l.listener);
    settle(l.sim);
    assert_int_equal(sl_socket_read(l.near, &byte, 1, &count, NULL), SL_RESET);
    link_free(&l);
}

static void a_connection_closed_before_it_is_accepted_can_still_be_read(void **state)
{
    struct link l = link_new(1);
    char        byte = 0;
    size_t      count;

    (void)state;
    assert_int_equal(sl_net_connect(l.net, "pump:8250", &l.near, NULL), SL_OK);
    settle(l.sim);
    assert_int_equal(sl_socket_write(l.near, "x", 1, &count, NULL), SL_OK);
    sl_socket_close(&l.near);
    settle(l.sim);
    assert_int_equal(sl_socket_accept(l.listener, &l.far, NULL), SL_OK);
    assert_int_equal(sl_socket_read(l.far, &byte, 1, &count, NULL), SL_OK);
    assert_int_equal(byte, 'x');
    assert_int_equal(sl_socket_read(l.far, &byte, 1, &count, NULL), SL_OK);
    assert_int_equal(count, 0);
    link_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connecting_takes_time_and_the_listener_sees_it_first),
        cmocka_unit_test(nobody_listening_is_told_after_a_while),
        cmocka_unit_test(addresses_are_text_with_a_few_rules),
        cmocka_unit_test(bytes_arrive_whole_and_in_order_through_small_buffers),
        cmocka_unit_test(the_seed_decides_everything),
        cmocka_unit_test(delays_stay_in_their_range),
        cmocka_unit_test(half_closed_still_hears_the_answer),
        cmocka_unit_test(a_reset_on_demand_breaks_both_ends_and_loses_what_was_on_the_way),
        cmocka_unit_test(resets_come_by_chance),
        cmocka_unit_test(closing_with_unread_bytes_resets_the_peer),
        cmocka_unit_test(writing_to_the_closed_succeeds_once_and_then_resets),
        cmocka_unit_test(closing_the_listener_resets_those_who_wait),
        cmocka_unit_test(a_connection_closed_before_it_is_accepted_can_still_be_read),
    };

    return cmocka_run_group_tests_name("env_sim_net", tests, NULL, NULL);
}
