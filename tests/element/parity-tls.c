/* p2phlssrc: beside souphttpsrc: TLS, and HTTP/2 above it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "parity.h"
#include "support/testcert.h"
#include "support/tunnel.h"

#include <gst/check/gstcheck.h>

#include <string.h>

#define OUR_NAMES "DNS:localhost,IP:127.0.0.1"
#define OTHER_NAMES "DNS:elsewhere.invalid,IP:127.0.0.9"

static TestAuthority *authority;
static GTlsDatabase *trust;
static TestHttpServer *server;
static TestHttpServer *plain;
static TestTunnel *tunnel;
static GBytes *body;

static void
listen_as (const char *names, gboolean http2)
{
  g_autoptr (GTlsCertificate) certificate =
      test_authority_sign (authority, names);

  server = test_http_server_new_with (certificate, http2);
  test_http_server_set (server, "/body", &(TestHttpResource){ .body = body });
}

static void
set_up (void)
{
  authority = test_authority_new ();
  trust = g_tls_file_database_new (test_authority_get_path (authority), NULL);
  body = test_http_body (300 * 1000 + 9, 14);
  plain = test_http_server_new ();
  test_http_server_set (plain, "/body", &(TestHttpResource){ .body = body });
}

static void
tear_down (void)
{
  g_clear_pointer (&server, test_http_server_free);
  g_clear_pointer (&plain, test_http_server_free);
  g_clear_pointer (&tunnel, test_tunnel_free);
  g_clear_pointer (&body, g_bytes_unref);
  g_clear_object (&trust);
  g_clear_pointer (&authority, test_authority_free);
}

static void
trust_authority (Player *player, const ParityCase *parity)
{
  g_object_set (player->src, "tls-database", trust, NULL);
}

/* HTTP/1.1 and HTTP/2. */
GST_START_TEST (test_database)
{
  listen_as (OUR_NAMES, __i__);
  parity_check (server,
      &(ParityCase){
          .path = "/body", .prepare = trust_authority, .body = body });
}

GST_END_TEST;

GST_START_TEST (test_http2_statuses)
{
  const ParityException *exceptions = parity_exceptions_to_status (503);

  listen_as (OUR_NAMES, TRUE);
  test_http_server_set (server, "/busy", &(TestHttpResource){ .status = 503 });
  test_http_server_set (server, "/moved",
      &(TestHttpResource){ .status = 302, .location = "/body" });
  parity_check (server,
      &(ParityCase){ .path = "/busy",
          .prepare = trust_authority,
          .error = GST_RESOURCE_ERROR_OPEN_READ,
          .any_connection = exceptions != NULL,
          .exceptions = exceptions });
  parity_check (server,
      &(ParityCase){
          .path = "/moved", .prepare = trust_authority, .body = body });
}

GST_END_TEST;

static void
play_another (Player *player, const ParityCase *parity)
{
  player_run (player);
  player_set_state (player, GST_STATE_READY);
  g_byte_array_set_size (player->bytes, 0);
  player->eos = FALSE;
  player_run (player);
}

GST_START_TEST (test_http2_connection_is_kept)
{
  listen_as (OUR_NAMES, TRUE);
  parity_check (server,
      &(ParityCase){ .path = "/body",
          .prepare = trust_authority,
          .play = play_another,
          .body = body });
}

GST_END_TEST;

/* Nobody signed for it: refused, unless nobody minds. */
GST_START_TEST (test_unknown_authority)
{
  const char *const properties[] = { "ssl-strict", __i__ ? "true" : "false",
    NULL };

  listen_as (OUR_NAMES, FALSE);
  parity_check (server,
      &(ParityCase){ .path = "/body",
          .properties = properties,
          .body = __i__ ? NULL : body,
          .error = __i__ ? PARITY_BASE_ERROR : 0 });
}

GST_END_TEST;

GST_START_TEST (test_wrong_name)
{
  const char *const properties[] = { "ssl-strict", __i__ ? "true" : "false",
    NULL };

  listen_as (OTHER_NAMES, FALSE);
  parity_check (server,
      &(ParityCase){ .path = "/body",
          .properties = properties,
          .prepare = trust_authority,
          .body = __i__ ? NULL : body,
          .error = __i__ ? PARITY_BASE_ERROR : 0 });
}

GST_END_TEST;

/* With libsoup 3, souphttpsrc does not look at it: here it is as good as the
 * database. */
GST_START_TEST (test_ca_file)
{
  const char *const properties[] = { "ssl-ca-file",
    test_authority_get_path (authority), NULL };
  ParityCase parity = { .path = "/body", .properties = properties };

  listen_as (OUR_NAMES, FALSE);
  parity.error = PARITY_BASE_ERROR;
  g_free (parity_report (server, PARITY_SOUP, &parity));
  parity.error = 0;
  parity.body = body;
  g_free (parity_report (server, PARITY_OURS, &parity));
}

GST_END_TEST;

GST_START_TEST (test_ca_file_is_away)
{
  static const char *const properties[] = { "ssl-ca-file", "/nowhere/ca.pem",
    NULL };

  listen_as (OUR_NAMES, FALSE);
  g_free (parity_report (server, PARITY_OURS,
      &(ParityCase){ .path = "/body",
          .properties = properties,
          .error = PARITY_BASE_ERROR }));
}

GST_END_TEST;

GST_START_TEST (test_to_plain)
{
  g_autofree char *target = test_http_server_uri (plain, "/body");

  listen_as (OUR_NAMES, FALSE);
  test_http_server_set (server, "/moved",
      &(TestHttpResource){ .status = 301, .location = target });
  parity_check (server,
      &(ParityCase){ .path = "/moved",
          .prepare = trust_authority,
          .body = body,
          .other = plain });
}

GST_END_TEST;

GST_START_TEST (test_from_plain)
{
  g_autofree char *target = NULL;

  listen_as (OUR_NAMES, __i__);
  target = test_http_server_uri (server, "/body");
  test_http_server_set (plain, "/moved",
      &(TestHttpResource){ .status = 302, .location = target });
  parity_check (plain,
      &(ParityCase){ .path = "/moved",
          .prepare = trust_authority,
          .body = body,
          .other = server });
}

GST_END_TEST;

/* --- a certificate of the user's --------------------------------------------*/

typedef struct
{
  GTlsInteraction parent;
  GTlsCertificate *certificate; /* (nullable) */
} Interaction;

typedef struct
{
  GTlsInteractionClass parent;
} InteractionClass;

GType interaction_get_type (void);
G_DEFINE_TYPE (Interaction, interaction, G_TYPE_TLS_INTERACTION);

static GTlsInteractionResult
give_certificate (GTlsInteraction *base, GTlsConnection *connection,
    GTlsCertificateRequestFlags flags, GCancellable *cancellable,
    GError **error)
{
  Interaction *self = (Interaction *) base;

  g_tls_connection_set_certificate (connection, self->certificate);

  return G_TLS_INTERACTION_HANDLED;
}

static void
interaction_finalize (GObject *object)
{
  g_object_unref (((Interaction *) object)->certificate);
  G_OBJECT_CLASS (interaction_parent_class)->finalize (object);
}

static void
interaction_class_init (InteractionClass *class)
{
  G_OBJECT_CLASS (class)->finalize = interaction_finalize;
  G_TLS_INTERACTION_CLASS (class)->request_certificate = give_certificate;
}

static void
interaction_init (Interaction *self)
{
}

static void
trust_and_show (Player *player, const ParityCase *parity)
{
  Interaction *interaction = g_object_new (interaction_get_type (), NULL);

  interaction->certificate =
      test_authority_sign (authority, "DNS:client.invalid");
  trust_authority (player, parity);
  g_object_set (player->src, "tls-interaction", interaction, NULL);
  g_object_unref (interaction);
}

/* A server that wants one gets it from the interaction; without, it leaves. */
GST_START_TEST (test_client_certificate)
{
  g_autoptr (GTlsCertificate) certificate =
      test_authority_sign (authority, OUR_NAMES);

  server = test_http_server_new_asking (certificate);
  test_http_server_set (server, "/body", &(TestHttpResource){ .body = body });
  parity_check (server,
      &(ParityCase){ .path = "/body",
          .prepare = __i__ ? trust_and_show : trust_authority,
          .body = __i__ ? body : NULL,
          .error = __i__ ? 0 : PARITY_BASE_ERROR });
}

GST_END_TEST;

/* --- through a proxy ---------------------------------------------------------*/

static void
trust_and_go_through (Player *player, const ParityCase *parity)
{
  const char *const *login = parity->data;
  g_autofree char *proxy = test_tunnel_uri (tunnel);

  trust_authority (player, parity);
  g_object_set (player->src, "proxy", proxy, NULL);
  if (login != NULL)
    g_object_set (
        player->src, "proxy-id", login[0], "proxy-pw", login[1], NULL);
}

/* TLS is with the server: the proxy sees its name and no more. */
GST_START_TEST (test_proxy)
{
  tunnel = test_tunnel_new (NULL, NULL);
  listen_as (OUR_NAMES, __i__);
  parity_check (server,
      &(ParityCase){
          .path = "/body", .prepare = trust_and_go_through, .body = body });
  fail_unless_equals_int (test_tunnel_opened (tunnel), 2);
}

GST_END_TEST;

GST_START_TEST (test_proxy_without_login)
{
  tunnel = test_tunnel_new ("p", "q");
  listen_as (OUR_NAMES, FALSE);
  parity_check (server,
      &(ParityCase){ .path = "/body",
          .prepare = trust_and_go_through,
          .error = GST_RESOURCE_ERROR_NOT_AUTHORIZED });
  fail_unless_equals_int (test_tunnel_opened (tunnel), 0);
}

GST_END_TEST;

static const char *const logins[][2] = { { "p", "q" }, { "p", "r" } };

/* souphttpsrc takes what the proxy says of the login for the resource, whether
 * it is the right one or not. */
GST_START_TEST (test_proxy_with_login)
{
  gboolean is_right = __i__ == 0;

  tunnel = test_tunnel_new ("p", "q");
  listen_as (OUR_NAMES, FALSE);
  g_free (parity_report (server, PARITY_OURS,
      &(ParityCase){ .path = "/body",
          .prepare = trust_and_go_through,
          .data = logins[__i__],
          .body = is_right ? body : NULL,
          .error = is_right ? 0 : GST_RESOURCE_ERROR_NOT_AUTHORIZED }));
  fail_unless_equals_int (test_tunnel_opened (tunnel), is_right);
}

GST_END_TEST;

/* One speaks TLS, the other does not. */
GST_START_TEST (test_wrong_protocol)
{
  static const char *const properties[] = { "timeout", "1", NULL };
  g_autofree char *uri = NULL;
  g_autofree char *wrong = NULL;

  listen_as (OUR_NAMES, FALSE);
  uri = test_http_server_uri (__i__ ? server : plain, "/body");
  wrong = __i__ ? g_strconcat ("http", uri + strlen ("https"), NULL)
                : g_strconcat ("https", uri + strlen ("http"), NULL);
  parity_check (server,
      &(ParityCase){
          .uri = wrong, .properties = properties, .error = PARITY_BASE_ERROR });
}

GST_END_TEST;

static Suite *
parity_tls_suite (void)
{
  Suite *suite = suite_create ("parity-tls");
  TCase *tests = tcase_create ("tls");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (tests, test_database, 0, 2);
  tcase_add_test (tests, test_http2_statuses);
  tcase_add_test (tests, test_http2_connection_is_kept);
  tcase_add_loop_test (tests, test_unknown_authority, 0, 2);
  tcase_add_loop_test (tests, test_wrong_name, 0, 2);
  tcase_add_test (tests, test_ca_file);
  tcase_add_test (tests, test_ca_file_is_away);
  tcase_add_test (tests, test_to_plain);
  tcase_add_loop_test (tests, test_from_plain, 0, 2);
  tcase_add_loop_test (tests, test_client_certificate, 0, 2);
  tcase_add_loop_test (tests, test_proxy, 0, 2);
  tcase_add_test (tests, test_proxy_without_login);
  tcase_add_loop_test (tests, test_proxy_with_login, 0, 2);
  tcase_add_loop_test (tests, test_wrong_protocol, 0, 2);

  return suite;
}

GST_CHECK_MAIN (parity_tls);
