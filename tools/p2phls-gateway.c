/* p2phls-gateway: one stream for players that know nothing of us.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "gateway/settings.h"
#include "gateway/status.h"

#include "gstlog.h"
#include "location.h"
#include "worker.h"
#include "base/error.h"

#include <glib-unix.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

/* Of whatever went wrong before the first line. */
#define EXIT_USAGE 2

#define UPDATE_MS 1000

/* The number of our only request. */
#define PROBE 1

static char **assignments;
static char **uris;
static int port;

static const GOptionEntry options[] = {
  { "port", 'p', 0, G_OPTION_ARG_INT, &port,
      "Listen on this port of the loopback addresses, 0 for any (0)", "PORT" },
  { "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &assignments,
      "Change a setting, see below; may come again", "NAME=VALUE" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &uris, NULL, "URI" },
  { NULL },
};

typedef struct
{
  P2pWorker *worker;
  P2pStatusPage *page;
} Watch;

/* --- the command line ------------------------------------------------------- */

static gboolean
read_options (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autofree char *description = p2p_tool_settings_describe ();

  g_option_context_set_summary (context,
      "Offers the HLS stream at URI to players on this machine, and shares it "
      "with\nother viewers. Prints an address for VLC, mpv, ffplay or hls.js, "
      "then that of a\nstatus page; runs until it is interrupted.\n"
      "The environment variable " P2P_SETTINGS_VARIABLE
      " takes settings about peers, as\nname=value;name=value.");
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (uris == NULL || uris[1] != NULL || port < 0 || port > G_MAXUINT16) {
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "one URI and a port below 65536 are needed, see --help");
    return FALSE;
  }

  return TRUE;
}

static gboolean
read_settings (P2pToolSettings *settings, GError **error)
{
  if (!p2p_settings_read_defaults (
          &settings->p2p, g_getenv (P2P_SETTINGS_VARIABLE), error)) {
    g_prefix_error_literal (error, P2P_SETTINGS_VARIABLE ": ");
    return FALSE;
  }
  for (char **item = assignments; item != NULL && *item != NULL; item++) {
    if (!p2p_tool_settings_set (settings, *item, error)) {
      g_prefix_error_literal (error, "--set: ");
      return FALSE;
    }
  }

  return TRUE;
}

/* --- the stream ---------------------------------------------------------------- */

/* Without what may be secret. Returns: (transfer full). */
static char *
shown_url (const char *url)
{
  g_autoptr (GUri) uri =
      g_uri_parse (url, G_URI_FLAGS_ENCODED | G_URI_FLAGS_HAS_PASSWORD, NULL);

  if (uri == NULL)
    return g_strndup (url, strcspn (url, "?@"));

  return g_uri_to_string_partial (
      uri, G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY | G_URI_HIDE_FRAGMENT);
}

static void
set_failure (GError **error, const char *url, const P2pHttpFailure *failure)
{
  g_autofree char *shown = shown_url (url);
  const char *reason = failure->reason != NULL ? failure->reason : "no answer";

  if (failure->status != 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %u %s", shown,
        failure->status, reason);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", shown, reason);
}

/* Asks for the headers, so that what cannot work is said now and not by a
 * player. Returns: (transfer full) (nullable): them. */
static P2pHttpResponse *
probe (
    P2pWorker *worker, P2pHttpProfile *profile, const char *url, GError **error)
{
  g_autoptr (P2pOutQueue) queue = p2p_out_queue_new (PROBE);
  P2pRequest request = {
    .uri = url,
    .range = P2P_RANGE_ALL,
    .profile = profile,
    .p2p = TRUE,
    .style = P2P_PLAYLIST_ASK,
  };
  g_autoptr (P2pHttpFailure) failure = NULL;

  p2p_worker_request (worker, queue, &request);
  if (p2p_out_queue_wait_headers (queue) == P2P_OUT_HEADERS) {
    p2p_worker_cancel (worker, queue);
    return p2p_out_queue_response (queue);
  }
  failure = p2p_out_queue_failure (queue);
  set_failure (error, url, failure);

  return NULL;
}

static gboolean
is_on (const P2pToolSettings *settings, P2pSetting setting)
{
  return g_value_get_boolean (&settings->p2p.values[setting]);
}

static void
tell_user (const P2pToolSettings *settings, const P2pHttpResponse *response)
{
  if (!is_on (settings, P2P_SETTING_P2P))
    return;
  if (!response->is_playlist) {
    g_printerr ("p2phls-gateway: this is no HLS playlist: it is passed on, and "
                "not shared\n");
    return;
  }
  if (is_on (settings, P2P_SETTING_UPLOAD))
    g_printerr (
        "p2phls-gateway: shares the stream with other viewers, who see this "
        "machine's address;\n--set upload=false gives them nothing, --set "
        "p2p=false leaves plain HTTP\n");
  else
    g_printerr (
        "p2phls-gateway: takes the stream from other viewers, too, who see "
        "this machine's address;\n--set p2p=false leaves plain HTTP\n");
}

/* Returns: (transfer full) (nullable): where players find @uri. */
static char *
open_gateway (P2pWorker *worker, P2pToolSettings *settings, const char *uri,
    GError **error)
{
  g_autofree char *location = p2p_location_normalize (uri);
  const char *url = p2p_location_request_uri (location);
  g_autoptr (P2pHttpProfile) get = p2p_http_props_get_profile (&settings->http);
  g_autoptr (P2pHttpProfile) head =
      p2p_http_props_get_head_profile (&settings->http);
  g_autoptr (P2pHttpResponse) response = NULL;
  g_autofree char *address = NULL;

  if (url == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "%s is no http: or https: address", uri);
    return NULL;
  }
  address = p2p_worker_open_gateway (worker, port, get, head, url, error);
  if (address == NULL) {
    if (port != 0)
      g_prefix_error (error, "port %d: ", port);
    return NULL;
  }
  response = probe (worker, get, url, error);
  if (response == NULL)
    return NULL;
  tell_user (settings, response);

  return g_steal_pointer (&address);
}

/* --- running ---------------------------------------------------------------------- */

static gboolean
on_update (gpointer user_data)
{
  Watch *watch = user_data;
  g_autoptr (P2pStats) stats = p2p_worker_get_stats (watch->worker);

  p2p_status_page_update (watch->page, stats, g_get_monotonic_time ());

  return G_SOURCE_CONTINUE;
}

static gboolean
on_signal (gpointer user_data)
{
  g_main_loop_quit (user_data);

  return G_SOURCE_CONTINUE;
}

static void
run (P2pWorker *worker, P2pStatusPage *page)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Watch watch = { worker, page };
  guint sources[] = {
    g_timeout_add (UPDATE_MS, on_update, &watch),
    g_unix_signal_add (SIGINT, on_signal, loop),
    g_unix_signal_add (SIGTERM, on_signal, loop),
  };

  on_update (&watch);
  g_main_loop_run (loop);
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    g_source_remove (sources[i]);
}

static P2pStatusPage *
new_page (const P2pConfig *config, const char *address, GError **error)
{
  P2pStatusFacts facts = {
    .address = address,
    .cache_bytes = config->engine.cache_bytes,
    .p2p = config->engine.p2p,
    .upload = config->engine.upload,
  };

  return p2p_status_page_new (&facts, error);
}

/* One a line; people are told which is which. */
static void
print_addresses (const char *stream, const char *status)
{
  gboolean is_person = isatty (STDOUT_FILENO);

  printf ("%s%s\n", is_person ? "Play    " : "", stream);
  printf ("%s%s\n", is_person ? "Status  " : "", status);
  fflush (stdout);
}

static gboolean
serve (P2pToolSettings *settings, const char *uri, GError **error)
{
  g_autoptr (P2pConfig) config = p2p_config_new (&settings->p2p, error);
  g_autoptr (P2pWorker) worker = NULL;
  g_autoptr (P2pStatusPage) page = NULL;
  g_autofree char *address = NULL;

  if (config == NULL)
    return FALSE;
  worker = p2p_worker_new (config);
  address = open_gateway (worker, settings, uri, error);
  if (address == NULL)
    return FALSE;
  page = new_page (config, address, error);
  if (page == NULL)
    return FALSE;
  print_addresses (address, p2p_status_page_get_uri (page));
  run (worker, page);

  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (P2pToolSettings) settings = { 0 };
  gboolean is_good;

  setlocale (LC_CTYPE, "");
  /* Types and the log only: no plugin is looked for. */
  g_setenv ("GST_REGISTRY_DISABLE", "yes", TRUE);
  gst_init (NULL, NULL);
  p2p_gst_log_init ();
  p2p_tool_settings_init (&settings);
  is_good = read_options (&argc, &argv, &error)
      && read_settings (&settings, &error)
      && serve (&settings, uris[0], &error);
  if (!is_good)
    g_printerr ("p2phls-gateway: %s\n", error->message);
  g_strfreev (assignments);
  g_strfreev (uris);

  return is_good ? EXIT_SUCCESS : EXIT_USAGE;
}
