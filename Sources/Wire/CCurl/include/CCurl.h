// SPDX-License-Identifier: Apache-2.0

// libcurl for Swift: curl.h itself, and a typed function for each use of its variadic ones, which Swift cannot call.

#ifndef CCURL_H
#define CCURL_H

#include <curl/curl.h>
#include <stdbool.h>

CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value);
CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value);
CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value);
CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *value);
CURLcode ccurl_set_blob(CURL *easy, CURLoption option, const void *bytes, size_t count);

/// The body of a request, copied; the bytes need not outlive the call.
CURLcode ccurl_set_body(CURL *easy, const void *bytes, size_t count);

/// CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION share this form.
typedef size_t (*ccurl_data_function)(char *bytes, size_t size, size_t count, void *context);
CURLcode ccurl_set_data_function(CURL *easy, CURLoption option, ccurl_data_function function);
CURLcode ccurl_set_prerequest_function(CURL *easy, curl_prereq_callback function);

/// What every new socket gets: close-on-exec; on TCP a peer counts as dead after three keepalive probes or 20 s with
/// sent bytes unacknowledged.
CURLcode ccurl_set_socket_options(CURL *easy);

CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value);
CURLcode ccurl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value);
CURLcode ccurl_get_pointer(CURL *easy, CURLINFO info, void **value);

CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value);

/// The next transfer that ended, by its CURLOPT_PRIVATE; false where there is none.
bool ccurl_multi_next_done(CURLM *multi, void **context, CURLcode *result);

#endif
