#include "lib/env_sim_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { SECTOR = SL_ENV_SIM_SECTOR_BYTES, HALF_PPM = SL_ENV_SIM_ALWAYS_PPM / 2 };

/* One name of a change: from its application on it means value (NULL: nothing). */
struct slot {
    struct sim_node *dir;   /* reference: keeps name alive */
    struct sim_name *name;  /* borrowed from dir */
    struct sim_node *value; /* reference or NULL */
};

/* Applied or lost as one. A rename has two slots, anything else one. */
struct sim_change {
    bool        kept; /* scratch: applied in the pass that is going on */
    unsigned    slot_count;
    struct slot slots[2];
};

/* ---- contents ---- */

static uint64_t sectors_of(uint64_t bytes)
{
    return (bytes + SECTOR - 1) / SECTOR;
}

static uint8_t *grown(uint8_t *old, uint64_t old_bytes, uint64_t new_bytes)
{
    uint8_t *bytes = realloc(old, new_bytes);

    SL_ASSERT(bytes != NULL);
    memset(bytes + old_bytes, 0, new_bytes - old_bytes);
    return bytes;
}

static void reserve(struct sim_node *file, uint64_t size)
{
    uint64_t capacity = file->capacity > 0 ? file->capacity : SECTOR;

    while (capacity < size)
        capacity *= 2;
    if (capacity == file->capacity)
        return;
    file->written = grown(file->written, file->capacity, capacity);
    file->durable = grown(file->durable, file->capacity, capacity);
    file->dirty = grown(file->dirty, file->capacity / SECTOR, capacity / SECTOR);
    file->capacity = capacity;
}

static void soil(struct sim_node *file, uint64_t from, uint64_t to)
{
    if (from < to)
        memset(file->dirty + from / SECTOR, 1, sectors_of(to) - from / SECTOR);
}

static void set_size(struct sim_disk *disk, struct sim_node *file, uint64_t size)
{
    SL_ASSERT(disk->used_bytes >= file->size);
    disk->used_bytes = disk->used_bytes - file->size + size;
    file->size = size;
}

static uint64_t room_for(const struct sim_disk *disk)
{
    uint64_t quota = disk->set.quota_bytes;

    return quota > disk->used_bytes ? quota - disk->used_bytes : 0;
}

size_t sim_node_write(struct sim_disk *disk, struct sim_node *file, uint64_t at, const void *bytes,
                      size_t count)
{
    uint64_t end_max = file->size + room_for(disk);

    SL_ASSERT(file->kind == SL_FILE_REGULAR);
    if (at >= end_max)
        return 0;
    if (count > end_max - at)
        count = (size_t)(end_max - at);
    if (count == 0)
        return 0;
    reserve(file, at + count);
    memcpy(file->written + at, bytes, count);
    soil(file, at, at + count);
    if (at + count > file->size)
        set_size(disk, file, at + count);
    file->size_dirty = file->size_dirty || at + count > file->durable_size;
    return count;
}

bool sim_node_resize(struct sim_disk *disk, struct sim_node *file, uint64_t size)
{
    SL_ASSERT(file->kind == SL_FILE_REGULAR);
    if (size > file->size && size - file->size > room_for(disk))
        return false;
    if (size > file->size)
        reserve(file, size);
    if (size < file->size) {
        memset(file->written + size, 0, file->size - size);
        soil(file, size, file->size);
    }
    file->size_dirty = file->size_dirty || size != file->durable_size;
    set_size(disk, file, size);
    return true;
}

static void save_sector(struct sim_node *file, uint64_t sector)
{
    memcpy(file->durable + sector * SECTOR, file->written + sector * SECTOR, SECTOR);
}

static void set_durable_size(struct sim_node *file, uint64_t size)
{
    if (size < file->capacity)
        memset(file->durable + size, 0, file->capacity - size);
    file->durable_size = size;
}

void sim_node_sync(struct sim_node *file)
{
    for (uint64_t i = 0; i < file->capacity / SECTOR; i++) {
        if (file->dirty[i] != 0)
            save_sector(file, i);
        file->dirty[i] = 0;
    }
    set_durable_size(file, file->size_dirty ? file->size : file->durable_size);
    file->size_dirty = false;
}

/* Show on reading what is durable: the cache is gone. */
static void forget_written(struct sim_disk *disk, struct sim_node *file)
{
    if (file->capacity > 0)
        memcpy(file->written, file->durable, file->capacity);
    set_size(disk, file, file->durable_size);
}

/* Of what is dirty let each part reach the disk with this chance; nothing is dirty afterwards. */
static void save_some(struct sim_disk *disk, struct sim_node *file, uint32_t ppm)
{
    uint64_t size = file->durable_size;
    uint64_t high = file->size > size ? file->size : size;

    for (uint64_t i = 0; i < file->capacity / SECTOR; i++) {
        if (file->dirty[i] != 0 && sl_prng_chance(&disk->dice, ppm, SL_ENV_SIM_ALWAYS_PPM))
            save_sector(file, i);
        file->dirty[i] = 0;
    }
    if (file->size_dirty && sl_prng_chance(&disk->dice, ppm, SL_ENV_SIM_ALWAYS_PPM))
        size = file->size;
    else if (file->size_dirty && ppm == HALF_PPM && file->size > size)
        size = sl_prng_range(&disk->dice, size, high);
    set_durable_size(file, size);
    file->size_dirty = false;
}

void sim_node_fail_sync(struct sim_disk *disk, struct sim_node *file)
{
    save_some(disk, file, HALF_PPM);
    if (sl_prng_chance(&disk->dice, HALF_PPM, SL_ENV_SIM_ALWAYS_PPM))
        forget_written(disk, file);
}

/* ---- nodes ---- */

struct sim_node *sim_node_new(enum sl_file_kind kind)
{
    struct sim_node *node = calloc(1, sizeof *node);

    SL_ASSERT(node != NULL);
    node->kind = kind;
    node->references = 1;
    return node;
}

struct sim_node *sim_node_get(struct sim_node *node)
{
    if (node != NULL)
        node->references++;
    return node;
}

void sim_node_put(struct sim_disk *disk, struct sim_node **node)
{
    struct sim_node *last = *node;

    *node = NULL;
    if (last == NULL || --last->references > 0)
        return;
    while (last->names != NULL) {
        struct sim_name *name = last->names;

        SL_ASSERT(name->waiting == 0); /* a waiting change refers to its directory */
        last->names = name->next;
        sim_node_put(disk, &name->written);
        sim_node_put(disk, &name->durable);
        free(name);
    }
    set_size(disk, last, 0);
    free(last->written);
    free(last->durable);
    free(last->dirty);
    free(last);
}

/* ---- names ---- */

static struct sim_name **place_of(struct sim_node *dir, const char *text)
{
    struct sim_name **place = &dir->names;

    SL_ASSERT(dir->kind == SL_FILE_DIRECTORY);
    while (*place != NULL && strcmp((*place)->text, text) != 0)
        place = &(*place)->next;
    return place;
}

struct sim_name *sim_name_find(struct sim_node *dir, const char *text)
{
    struct sim_name *name = *place_of(dir, text);

    return name != NULL && name->written != NULL ? name : NULL;
}

bool sim_dir_is_empty(const struct sim_node *dir)
{
    for (const struct sim_name *name = dir->names; name != NULL; name = name->next) {
        if (name->written != NULL)
            return false;
    }
    return true;
}

static struct sim_name *name_made(struct sim_node *dir, const char *text)
{
    struct sim_name **place = place_of(dir, text);

    if (*place == NULL) {
        *place = calloc(1, sizeof **place);
        SL_ASSERT(*place != NULL && strlen(text) <= SIM_NAME_BYTES_MAX);
        (void)snprintf((*place)->text, sizeof(*place)->text, "%s", text);
    }
    return *place;
}

static void drop_if_unused(struct sim_node *dir, struct sim_name *name)
{
    struct sim_name **place;

    if (name->written != NULL || name->durable != NULL || name->waiting > 0)
        return;
    place = place_of(dir, name->text);
    *place = name->next;
    free(name);
}

static struct sim_change *change_added(struct sim_disk *disk)
{
    struct sim_change *c;

    if (disk->change_count == disk->change_room) {
        disk->change_room = disk->change_room > 0 ? 2 * disk->change_room : 16;
        disk->changes = realloc(disk->changes, disk->change_room * sizeof *disk->changes);
        SL_ASSERT(disk->changes != NULL);
    }
    c = &disk->changes[disk->change_count++];
    memset(c, 0, sizeof *c);
    return c;
}

static void slot_added(struct sim_disk *disk, struct sim_change *c, struct sim_node *dir,
                       const char *text, struct sim_node *value)
{
    struct slot *slot = &c->slots[c->slot_count++];

    slot->dir = sim_node_get(dir);
    slot->name = name_made(dir, text);
    slot->name->waiting++;
    slot->value = sim_node_get(value);
    sim_node_put(disk, &slot->name->written);
    slot->name->written = sim_node_get(value);
}

void sim_name_set(struct sim_disk *disk, struct sim_node *dir, const char *text,
                  struct sim_node *node)
{
    slot_added(disk, change_added(disk), dir, text, node);
}

void sim_name_move(struct sim_disk *disk, struct sim_node *from_dir, const char *from,
                   struct sim_node *to_dir, const char *to)
{
    struct sim_change *c = change_added(disk);
    struct sim_node   *node = sim_node_get(name_made(from_dir, from)->written);

    SL_ASSERT(node != NULL);
    slot_added(disk, c, from_dir, from, NULL);
    slot_added(disk, c, to_dir, to, node);
    sim_node_put(disk, &node);
}

/* Apply the change or forget it; its references go either way. */
static void settle(struct sim_disk *disk, struct sim_change *c, bool apply)
{
    for (unsigned i = 0; i < c->slot_count; i++) {
        struct slot *slot = &c->slots[i];

        if (apply) {
            sim_node_put(disk, &slot->name->durable);
            slot->name->durable = sim_node_get(slot->value);
        }
        SL_ASSERT(slot->name->waiting > 0);
        slot->name->waiting--;
        drop_if_unused(slot->dir, slot->name);
        sim_node_put(disk, &slot->value);
        sim_node_put(disk, &slot->dir);
    }
}

static bool any_name_marked(const struct sim_change *c)
{
    return c->slots[0].name->marked || (c->slot_count > 1 && c->slots[1].name->marked);
}

static void mark_names(struct sim_change *c, bool marked)
{
    for (unsigned i = 0; i < c->slot_count; i++)
        c->slots[i].name->marked = marked;
}

static void unmark_all(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->change_count; i++)
        mark_names(&disk->changes[i], false);
}

static bool touches(const struct sim_change *c, const struct sim_node *dir)
{
    return c->slots[0].dir == dir || (c->slot_count > 1 && c->slots[1].dir == dir);
}

/* Backwards, a marked name means: a later change of it becomes durable, so this one must too. */
void sim_names_sync(struct sim_disk *disk, struct sim_node *dir)
{
    struct sim_change *changes = disk->changes;
    size_t             count = disk->change_count;
    size_t             left = 0;

    for (size_t i = count; i-- > 0;) {
        changes[i].kept = touches(&changes[i], dir) || any_name_marked(&changes[i]);
        if (changes[i].kept)
            mark_names(&changes[i], true);
    }
    unmark_all(disk);
    for (size_t i = 0; i < count; i++) {
        if (changes[i].kept)
            settle(disk, &changes[i], true);
        else
            changes[left++] = changes[i];
    }
    disk->change_count = left;
}

/* ---- power cut ---- */

/* Forwards, a marked name means: an earlier change of it was lost, so this one is lost too. */
static void settle_some(struct sim_disk *disk, uint32_t ppm)
{
    for (size_t i = 0; i < disk->change_count; i++) {
        struct sim_change *c = &disk->changes[i];

        c->kept = !any_name_marked(c) && sl_prng_chance(&disk->dice, ppm, SL_ENV_SIM_ALWAYS_PPM);
        if (!c->kept)
            mark_names(c, true);
    }
    unmark_all(disk);
    for (size_t i = 0; i < disk->change_count; i++)
        settle(disk, &disk->changes[i], disk->changes[i].kept);
    disk->change_count = 0;
}

/* Depth first; as deep as the directories are nested. */
static void restore(struct sim_disk *disk, struct sim_node *node, uint32_t ppm)
{
    struct sim_name *next;

    node->locked_by = NULL;
    if (node->kind == SL_FILE_REGULAR) {
        save_some(disk, node, ppm);
        forget_written(disk, node);
        return;
    }
    for (struct sim_name *name = node->names; name != NULL; name = next) {
        next = name->next;
        sim_node_put(disk, &name->written);
        name->written = sim_node_get(name->durable);
        if (name->written != NULL)
            restore(disk, name->written, ppm);
        drop_if_unused(node, name);
    }
}

/* Besides the mixtures the two pure outcomes, which a coin per sector would hardly ever give. */
void sim_disk_cut(struct sim_disk *disk)
{
    static const uint32_t chances[] = {0, HALF_PPM, HALF_PPM, SL_ENV_SIM_ALWAYS_PPM};
    uint32_t              ppm = chances[sl_prng_range(&disk->dice, 0, 3)];

    settle_some(disk, ppm);
    restore(disk, disk->root, ppm);
    disk->cuts++;
}

/* The changes go first: they refer to directories and files. */
void sim_disk_clear(struct sim_disk *disk)
{
    settle_some(disk, 0);
    sim_node_put(disk, &disk->root);
    SL_ASSERT(disk->used_bytes == 0); /* else a reference was lost */
    free(disk->changes);
}
