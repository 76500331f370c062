/* p2phlssrc: a certificate for one test run.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "testcert.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY_S (24 * 60 * 60)

static void
add_names (X509 *certificate)
{
  X509_NAME *name = X509_get_subject_name (certificate);
  X509_EXTENSION *extension;

  X509_NAME_add_entry_by_txt (
      name, "CN", MBSTRING_ASC, (const unsigned char *) "localhost", -1, -1, 0);
  X509_set_issuer_name (certificate, name);
  extension = X509V3_EXT_conf_nid (
      NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  X509_add_ext (certificate, extension, -1);
  X509_EXTENSION_free (extension);
}

static X509 *
sign (EVP_PKEY *key)
{
  X509 *certificate = X509_new ();

  X509_set_version (certificate, 2);
  ASN1_INTEGER_set (X509_get_serialNumber (certificate), g_random_int ());
  X509_gmtime_adj (X509_getm_notBefore (certificate), -DAY_S);
  X509_gmtime_adj (X509_getm_notAfter (certificate), DAY_S);
  X509_set_pubkey (certificate, key);
  add_names (certificate);
  g_assert_cmpint (X509_sign (certificate, key, EVP_sha256 ()), >, 0);

  return certificate;
}

GTlsCertificate *
test_certificate_new (void)
{
  g_autoptr (GError) error = NULL;
  EVP_PKEY *key = EVP_EC_gen ("P-256");
  X509 *x509 = sign (key);
  BIO *pem = BIO_new (BIO_s_mem ());
  GTlsCertificate *certificate;
  char *data;
  long length;

  PEM_write_bio_PrivateKey (pem, key, NULL, NULL, 0, NULL, NULL);
  PEM_write_bio_X509 (pem, x509);
  length = BIO_get_mem_data (pem, &data);
  certificate = g_tls_certificate_new_from_pem (data, length, &error);
  g_assert_no_error (error);
  BIO_free (pem);
  X509_free (x509);
  EVP_PKEY_free (key);

  return certificate;
}
