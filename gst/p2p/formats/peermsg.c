/* p2phlssrc: commands between peers and their binary coding.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "peermsg.h"

#include "base/error.h"
#include "base/limits.h"

/* Marks around a chunk: the first chunk of a command begins with "cstr", the
 * others with "dstr"; the last one ends with "cend", the others with "dend". */
#define MARK_LENGTH 4
#define FRAME_LENGTH (2 * MARK_LENGTH)

/* High nibble of an item's first byte. */
#define ITEM_INT 0
#define ITEM_INT_ARRAY 1
#define ITEM_STRING 2

/* Bytes of an int that generation v3 reads. */
#define INT_MAX_LENGTH 7

/* Ids that share everything but their low byte lie in one group. */
#define GROUP_SPAN 256

/* --- writing ------------------------------------------------------------ */

static void
put_byte (GByteArray *out, guint8 byte)
{
  g_byte_array_append (out, &byte, 1);
}

/* Big-endian sign and magnitude, as few bytes as leave the sign bit free. */
static void
put_int (GByteArray *out, gint64 value)
{
  guint64 magnitude = value < 0 ? -(guint64) value : (guint64) value;
  guint8 bytes[9];
  guint length = 1;

  while (length < 9 && magnitude >> (8 * length - 1) != 0)
    length++;
  /* No id, size or request number comes near 2^63. */
  g_assert (length < 9);

  bytes[0] = ITEM_INT << 4 | length;
  for (guint i = 1; i <= length; i++)
    bytes[i] = magnitude >> (8 * (length - i));
  if (value < 0)
    bytes[1] |= 0x80;
  g_byte_array_append (out, bytes, 1 + length);
}

static gint64
group_base (gint64 value)
{
  return value & ~(gint64) (GROUP_SPAN - 1);
}

typedef struct
{
  gint64 base;
  guint count;
  guint8 low[P2P_INT_GROUP_MAX];
} IdGroup;

/* The group that goes on with @base, NULL: a new one is needed. */
static IdGroup *
open_group (GArray *groups, gint64 base)
{
  for (guint i = groups->len; i-- > 0;) {
    IdGroup *group = &g_array_index (groups, IdGroup, i);

    if (group->base == base)
      return group->count < P2P_INT_GROUP_MAX ? group : NULL;
  }

  return NULL;
}

/* Groups in order of their first id. A full group is followed by another of
 * the same base, because a count of 256 is misread by 2.3.1. */
static GArray *
make_groups (const GArray *ids)
{
  GArray *groups = g_array_new (FALSE, FALSE, sizeof (IdGroup));
  gint64 highest = G_MININT64; /* ids mostly ascend: nothing to look for */

  for (guint i = 0; i < ids->len; i++) {
    gint64 id = g_array_index (ids, gint64, i);
    gint64 base = group_base (id);
    IdGroup *group = base > highest ? NULL : open_group (groups, base);

    highest = MAX (highest, base);
    if (group == NULL) {
      g_array_set_size (groups, groups->len + 1);
      group = &g_array_index (groups, IdGroup, groups->len - 1);
      group->base = base;
      group->count = 0;
    }
    group->low[group->count++] = id - base;
  }

  return groups;
}

static void
put_ids (GByteArray *out, char name, const GArray *ids)
{
  g_autoptr (GArray) groups = NULL;
  guint first = 0;
  guint8 head[3];

  if (ids == NULL || ids->len == 0)
    return;

  groups = make_groups (ids);
  if (groups->len > P2P_INT_GROUPS_MAX)
    first = groups->len - P2P_INT_GROUPS_MAX;

  head[0] = name;
  head[1] = ITEM_INT_ARRAY << 4;
  head[2] = groups->len - first;
  g_byte_array_append (out, head, sizeof head);
  for (guint i = first; i < groups->len; i++) {
    const IdGroup *group = &g_array_index (groups, IdGroup, i);

    put_int (out, group->base + group->count);
    g_byte_array_append (out, group->low, group->count);
  }
}

static void
put_field (GByteArray *out, char name, gint64 value)
{
  put_byte (out, name);
  put_int (out, value);
}

static void
put_hearsay (GByteArray *out, char name, const GArray *ids, char claim_name,
    gint64 claim)
{
  put_ids (out, name, ids);
  if (ids != NULL && ids->len > 0 && claim != P2P_NEVER)
    put_field (out, claim_name, claim);
}

static GByteArray *
write_body (const P2pCommand *command)
{
  GByteArray *body = g_byte_array_new ();

  put_byte (body, command->kind);
  if (command->kind == P2P_COMMAND_ANNOUNCE) {
    put_ids (body, 'l', command->loaded);
    put_ids (body, 'p', command->loading);
    put_ids (body, 'a', command->arriving);
    if (command->has_open)
      put_field (body, 'o', command->open);
    put_hearsay (body, 'k', command->heard, 'e', command->heard_claim);
    put_hearsay (body, 'j', command->rumoured, 'd', command->rumoured_claim);
    return body;
  }

  put_field (body, 'i', command->segment_id);
  if (command->kind == P2P_COMMAND_DATA
      || (command->kind == P2P_COMMAND_CANCEL && command->has_size))
    put_field (body, 's', command->size);
  put_field (body, 'r', command->request_id);
  if (command->kind == P2P_COMMAND_REQUEST && command->byte_from != 0)
    put_field (body, 'b', command->byte_from);
  if (command->kind == P2P_COMMAND_REQUEST && command->needed_ms != 0)
    put_field (body, 'n', command->needed_ms);

  return body;
}

static gsize
ceil_div (gsize a, gsize b)
{
  return (a + b - 1) / b;
}

/* Bytes of the body in each chunk: equal parts, as P2P Media Loader makes. */
static gsize
chunk_length (gsize length, gsize max_message)
{
  gsize n_chunks;

  if (length + FRAME_LENGTH <= max_message)
    return length;

  n_chunks = ceil_div (length, max_message);
  while (ceil_div (length, n_chunks) + FRAME_LENGTH > max_message)
    n_chunks++;

  return ceil_div (length, n_chunks);
}

static GBytes *
make_chunk (const guint8 *data, gsize length, gboolean first, gboolean last)
{
  guint8 *chunk = g_malloc (length + FRAME_LENGTH);

  memcpy (chunk, first ? "cstr" : "dstr", MARK_LENGTH);
  memcpy (chunk + MARK_LENGTH, data, length);
  memcpy (chunk + MARK_LENGTH + length, last ? "cend" : "dend", MARK_LENGTH);

  return g_bytes_new_take (chunk, length + FRAME_LENGTH);
}

GPtrArray *
p2p_command_encode (const P2pCommand *command, gsize max_message)
{
  GPtrArray *messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (GByteArray) body = write_body (command);
  gsize step;

  g_assert (max_message > FRAME_LENGTH);

  step = chunk_length (body->len, max_message);
  for (gsize start = 0; start < body->len; start += step) {
    gsize length = MIN (step, body->len - start);

    g_ptr_array_add (messages,
        make_chunk (body->data + start, length, start == 0,
            start + length == body->len));
  }

  return messages;
}

/* --- reading ------------------------------------------------------------ */

typedef struct
{
  const guint8 *at;
  const guint8 *end;
} Reader;

static gboolean
fail (GError **error, P2pFormatError code, const char *what)
{
  g_set_error (error, P2P_FORMAT_ERROR, code, "peer command: %s", what);
  return FALSE;
}

static gsize
left (const Reader *reader)
{
  return reader->end - reader->at;
}

static gboolean
read_int (Reader *reader, gint64 *value, GError **error)
{
  gint64 magnitude;
  guint length;
  gboolean negative;

  if (left (reader) == 0)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "item header is missing");
  if (*reader->at >> 4 != ITEM_INT)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "item is no int");
  length = *reader->at++ & 0x0f;
  if (length == 0)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "int of no bytes");
  if (length > INT_MAX_LENGTH)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "int of more than 7 bytes");
  if (left (reader) < length)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "int is truncated");

  negative = (*reader->at & 0x80) != 0;
  magnitude = *reader->at++ & 0x7f;
  while (--length > 0)
    magnitude = magnitude << 8 | *reader->at++;
  *value = negative ? -magnitude : magnitude;

  return TRUE;
}

static gboolean
read_group (Reader *reader, GArray *ids, GError **error)
{
  gint64 head;
  gint64 base;
  gint64 *added;
  guint count;

  if (!read_int (reader, &head, error))
    return FALSE;

  base = group_base (head);
  count = head - base;
  if (count == 0)
    count = GROUP_SPAN;
  if (left (reader) < count)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "group is truncated");
  if (ids->len + count > P2P_ANNOUNCEMENT_MAX_IDS)
    return fail (error, P2P_FORMAT_ERROR_LIMIT, "too many ids");

  g_array_set_size (ids, ids->len + count);
  added = &g_array_index (ids, gint64, ids->len - count);
  while (count-- > 0)
    *added++ = base + *reader->at++;

  return TRUE;
}

/* The first byte's low nibble says nothing, as in every reader. */
static GArray *
read_ids (Reader *reader, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  guint n_groups;

  reader->at++;
  if (left (reader) == 0) {
    fail (error, P2P_FORMAT_ERROR_SYNTAX, "array is truncated");
    return NULL;
  }
  n_groups = *reader->at++;
  while (n_groups-- > 0) {
    if (!read_group (reader, ids, error))
      return NULL;
  }

  return g_steal_pointer (&ids);
}

/* No command has a string; unknown fields may. */
static gboolean
skip_string (Reader *reader, GError **error)
{
  gsize length;

  if (left (reader) < 2)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "string is truncated");
  length = (reader->at[0] & 0x0f) << 8 | reader->at[1];
  reader->at += 2;
  if (left (reader) < length)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "string is truncated");
  reader->at += length;

  return TRUE;
}

typedef enum
{
  FIELD_CODE,
  FIELD_SEGMENT_ID,
  FIELD_REQUEST_ID,
  FIELD_BYTE_FROM,
  FIELD_NEEDED,
  FIELD_SIZE,
  FIELD_HEARD_CLAIM,
  FIELD_RUMOURED_CLAIM,
  FIELD_OPEN,
  N_INT_FIELDS,
} IntField;

#define FIELD_BIT(field) (1u << (field))

/* What was read; a field that comes twice counts as its last. */
typedef struct
{
  gint64 ints[N_INT_FIELDS];
  guint have;
  guint wrong_type; /* fields we know that held another kind of item */
  GArray *loaded;
  GArray *loading;
  GArray *arriving;
  GArray *heard;
  GArray *rumoured;
} Fields;

static const char int_names[N_INT_FIELDS] = {
  [FIELD_CODE] = 'c',
  [FIELD_SEGMENT_ID] = 'i',
  [FIELD_REQUEST_ID] = 'r',
  [FIELD_BYTE_FROM] = 'b',
  [FIELD_NEEDED] = 'n',
  [FIELD_SIZE] = 's',
  [FIELD_HEARD_CLAIM] = 'e',
  [FIELD_RUMOURED_CLAIM] = 'd',
  [FIELD_OPEN] = 'o',
};

static void
fields_clear (Fields *fields)
{
  g_clear_pointer (&fields->loaded, g_array_unref);
  g_clear_pointer (&fields->loading, g_array_unref);
  g_clear_pointer (&fields->arriving, g_array_unref);
  g_clear_pointer (&fields->heard, g_array_unref);
  g_clear_pointer (&fields->rumoured, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fields, fields_clear)

static guint
int_field (char name)
{
  guint field;

  for (field = 0; field < N_INT_FIELDS; field++) {
    if (int_names[field] == name)
      break;
  }

  return field;
}

static void
take_ids (Fields *fields, char name, GArray *ids)
{
  guint field = int_field (name);
  GArray **place = name == 'l' ? &fields->loaded
      : name == 'p'            ? &fields->loading
      : name == 'a'            ? &fields->arriving
      : name == 'k'            ? &fields->heard
      : name == 'j'            ? &fields->rumoured
                               : NULL;

  if (field < N_INT_FIELDS)
    fields->wrong_type |= FIELD_BIT (field);
  if (place == NULL) {
    g_array_unref (ids);
    return;
  }
  g_clear_pointer (place, g_array_unref);
  *place = ids;
}

static gboolean
is_id_list (char name)
{
  return name == 'l' || name == 'p' || name == 'a' || name == 'k'
      || name == 'j';
}

static gboolean
read_field (Reader *reader, Fields *fields, GError **error)
{
  char name = *reader->at++;
  guint field = int_field (name);
  GArray *ids;
  gint64 value;

  if (left (reader) == 0)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "field without a value");

  switch (*reader->at >> 4) {
    case ITEM_INT:
      if (!read_int (reader, &value, error))
        return FALSE;
      if (is_id_list (name))
        return fail (error, P2P_FORMAT_ERROR_SYNTAX, "id list is an int");
      if (field < N_INT_FIELDS) {
        fields->ints[field] = value;
        fields->have |= FIELD_BIT (field);
        fields->wrong_type &= ~FIELD_BIT (field);
      }
      return TRUE;
    case ITEM_INT_ARRAY:
      ids = read_ids (reader, error);
      if (ids == NULL)
        return FALSE;
      take_ids (fields, name, ids);
      return TRUE;
    case ITEM_STRING:
      if (is_id_list (name))
        return fail (error, P2P_FORMAT_ERROR_SYNTAX, "id list is a string");
      if (field < N_INT_FIELDS)
        fields->wrong_type |= FIELD_BIT (field);
      return skip_string (reader, error);
    default:
      return fail (error, P2P_FORMAT_ERROR_SYNTAX, "unknown item type");
  }
}

/* Fields without which a command means nothing. */
static guint
needed_fields (P2pCommandKind kind)
{
  guint ids = FIELD_BIT (FIELD_SEGMENT_ID) | FIELD_BIT (FIELD_REQUEST_ID);

  switch (kind) {
    case P2P_COMMAND_ANNOUNCE:
      return 0;
    case P2P_COMMAND_DATA:
      return ids | FIELD_BIT (FIELD_SIZE);
    case P2P_COMMAND_REQUEST:
    case P2P_COMMAND_COMPLETED:
    case P2P_COMMAND_ABSENT:
    case P2P_COMMAND_CANCEL:
      break;
  }

  return ids;
}

static gint64
claim_of (const Fields *fields, guint have, IntField field)
{
  return have & FIELD_BIT (field) ? fields->ints[field] : P2P_NEVER;
}

static gboolean
read_body (
    const guint8 *data, gsize length, P2pCommand *command, GError **error)
{
  Reader reader = { data, data + length };
  g_auto (Fields) fields = { 0 };
  guint n_fields = 0;
  guint have;

  if (length == 0)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "no command code");

  fields.ints[FIELD_CODE] = *reader.at++;
  while (left (&reader) > 0) {
    if (++n_fields > P2P_COMMAND_MAX_FIELDS)
      return fail (error, P2P_FORMAT_ERROR_LIMIT, "too many fields");
    if (!read_field (&reader, &fields, error))
      return FALSE;
  }

  /* A field named c replaces the code in every reader. */
  if (fields.wrong_type & FIELD_BIT (FIELD_CODE)
      || fields.ints[FIELD_CODE] < P2P_COMMAND_ANNOUNCE
      || fields.ints[FIELD_CODE] > P2P_COMMAND_CANCEL)
    return fail (error, P2P_FORMAT_ERROR_UNSUPPORTED, "unknown command code");

  *command = (P2pCommand){ .kind = fields.ints[FIELD_CODE] };
  have = fields.have & ~fields.wrong_type;
  if ((needed_fields (command->kind) & ~have) != 0)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "a number field is missing");
  if (command->kind == P2P_COMMAND_REQUEST
      && fields.wrong_type & FIELD_BIT (FIELD_BYTE_FROM))
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "byte-from is no number");

  command->segment_id = fields.ints[FIELD_SEGMENT_ID];
  command->request_id = fields.ints[FIELD_REQUEST_ID];
  command->byte_from = fields.ints[FIELD_BYTE_FROM];
  command->needed_ms = fields.ints[FIELD_NEEDED];
  command->size = fields.ints[FIELD_SIZE];
  command->has_size = (have & FIELD_BIT (FIELD_SIZE)) != 0;
  command->heard_claim = claim_of (&fields, have, FIELD_HEARD_CLAIM);
  command->rumoured_claim = claim_of (&fields, have, FIELD_RUMOURED_CLAIM);
  command->has_open = (have & FIELD_BIT (FIELD_OPEN)) != 0;
  command->open = fields.ints[FIELD_OPEN];
  command->loaded = g_steal_pointer (&fields.loaded);
  command->loading = g_steal_pointer (&fields.loading);
  command->arriving = g_steal_pointer (&fields.arriving);
  command->heard = g_steal_pointer (&fields.heard);
  command->rumoured = g_steal_pointer (&fields.rumoured);

  return TRUE;
}

void
p2p_command_clear (P2pCommand *command)
{
  g_clear_pointer (&command->loaded, g_array_unref);
  g_clear_pointer (&command->loading, g_array_unref);
  g_clear_pointer (&command->arriving, g_array_unref);
  g_clear_pointer (&command->heard, g_array_unref);
  g_clear_pointer (&command->rumoured, g_array_unref);
}

gboolean
p2p_command_is_chunk (const guint8 *data, gsize length)
{
  const guint8 *end;

  if (length < FRAME_LENGTH)
    return FALSE;

  end = data + length - MARK_LENGTH;
  return (data[0] == 'c' || data[0] == 'd') && memcmp (data + 1, "str", 3) == 0
      && (end[0] == 'c' || end[0] == 'd') && memcmp (end + 1, "end", 3) == 0;
}

struct _P2pCommandJoiner
{
  GByteArray *body; /* (nullable) while a command is incomplete */
};

P2pCommandJoiner *
p2p_command_joiner_new (void)
{
  return g_new0 (P2pCommandJoiner, 1);
}

void
p2p_command_joiner_free (P2pCommandJoiner *joiner)
{
  g_clear_pointer (&joiner->body, g_byte_array_unref);
  g_free (joiner);
}

/* Whether this chunk may come now. */
static gboolean
check_order (const P2pCommandJoiner *joiner, gboolean first, GError **error)
{
  if (first && joiner->body != NULL)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "begins inside another");
  if (!first && joiner->body == NULL)
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "first chunk is missing");

  return TRUE;
}

static P2pJoinResult
push (P2pCommandJoiner *joiner, const guint8 *data, gsize length,
    P2pCommand *command, GError **error)
{
  gboolean first = data[0] == 'c';
  gboolean last = data[length - MARK_LENGTH] == 'c';

  if (!check_order (joiner, first, error))
    return P2P_JOIN_ERROR;

  data += MARK_LENGTH;
  length -= FRAME_LENGTH;
  if (length + (first ? 0 : joiner->body->len) > P2P_COMMAND_MAX_BYTES) {
    fail (error, P2P_FORMAT_ERROR_LIMIT, "too long");
    return P2P_JOIN_ERROR;
  }
  /* The usual case: nothing to join, nothing to copy. */
  if (first && last)
    return read_body (data, length, command, error) ? P2P_JOIN_DONE
                                                    : P2P_JOIN_ERROR;

  if (first)
    joiner->body = g_byte_array_new ();
  g_byte_array_append (joiner->body, data, length);
  if (!last)
    return P2P_JOIN_MORE;

  return read_body (joiner->body->data, joiner->body->len, command, error)
      ? P2P_JOIN_DONE
      : P2P_JOIN_ERROR;
}

P2pJoinResult
p2p_command_joiner_push (P2pCommandJoiner *joiner, GBytes *message,
    P2pCommand *command, GError **error)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (message, &length);
  P2pJoinResult result;

  g_assert (p2p_command_is_chunk (data, length));

  *command = (P2pCommand){ 0 };
  result = push (joiner, data, length, command, error);
  if (result != P2P_JOIN_MORE)
    g_clear_pointer (&joiner->body, g_byte_array_unref);

  return result;
}
