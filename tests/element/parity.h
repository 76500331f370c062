/* p2phlssrc: one case, played with souphttpsrc and with p2phlssrc.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the test's.
 */
#pragma once

#include "player.h"
#include "support/httpserver.h"

G_BEGIN_DECLS

#define PARITY_OURS "p2phlssrc"
#define PARITY_SOUP "souphttpsrc"
/* No error of the source's own, only GstBaseSrc's. */
#define PARITY_BASE_ERROR (-1)
/* Whatever libsoup makes of it: both end in the same way. */
#define PARITY_ANY_END (-2)

/**
 * ParityException:
 * @name: a line of the report
 * @soup: (nullable): what souphttpsrc has there; %NULL: not compared
 * @ours: what we have, on purpose
 *
 * A difference that docs/design/element.md or http.md argues for.
 */
typedef struct
{
  const char *name;
  const char *soup;
  const char *ours;
} ParityException;

typedef struct _ParityCase ParityCase;

/**
 * ParityCase:
 * @path: what is asked of the server
 * @uri: (nullable): another place in place of @path
 * @properties: (nullable): name, value, …, NULL, set on the source
 * @prepare: (nullable): what else is done before playing
 * @play: (nullable): in place of player_run()
 * @data: for these
 * @body: (nullable): the bytes that both have to give
 * @error: the first error's GstResourceError, 0 for none, or one of
 *   the above
 * @any_connection: a seek or another attempt comes while a body may have ended
 *   or not, and with it the use of its connection: their numbers are not
 *   compared
 * @other: (nullable): a second server, whose log is compared too
 * @exceptions: (nullable): ends with one without a name
 */
struct _ParityCase
{
  const char *path;
  const char *uri;
  const char *const *properties;
  void (*prepare) (Player *player, const ParityCase *parity);
  void (*play) (Player *player, const ParityCase *parity);
  gconstpointer data;
  GBytes *body;
  int error;
  gboolean any_connection;
  TestHttpServer *other;
  const ParityException *exceptions;
};

/* Whether GStreamer, and souphttpsrc with it, is 1.@minor or later. */
gboolean parity_since (guint minor);

/* Exceptions to a case that ends with @status: since 1.26 souphttpsrc asks for
 * 500 and 503 again, as we do there, tells of each answer, and may take another
 * connection. Returns: (nullable) (transfer none). */
const ParityException *parity_exceptions_to_status (guint status);

/* Plays @parity with both, and fails the test unless all that can be observed
 * is the same: bytes, end, errors, messages, events, caps, tags, queries, and
 * the requests that the server saw. */
void parity_check (TestHttpServer *server, const ParityCase *parity);

/* What can be observed of one of them, a line for each thing. Returns:
 * (transfer full). */
char *parity_report (
    TestHttpServer *server, const char *factory, const ParityCase *parity);

/* Another source of the same kind, in the same pipeline, played to its end.
 * Returns: (transfer full): its bytes. */
GBytes *parity_play_another (Player *player, const char *uri);

/* As hlsdemux asks for a range: seek in READY. @stop may be -1. */
void parity_seek (Player *player, gint64 start, gint64 stop);

G_END_DECLS
