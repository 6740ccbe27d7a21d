// SPDX-License-Identifier: Apache-2.0
//
// libnftables (libnftables(3)) with JSON in and out and everything it says kept in memory. Its own header is not shown
// to Swift: it defines _GNU_SOURCE.

#ifndef CNFTABLES_H
#define CNFTABLES_H

struct cnftables;

// A context that talks to the network namespace of the calling thread, whichever thread uses it later; NULL with errno
// set where the kernel has no netfilter netlink or there is no memory.
struct cnftables *cnftables_open(void);

void cnftables_close(struct cnftables *context);

// Runs commands in the form of libnftables-json(5), all of them in one transaction; 0, or -1 with the reasons in
// cnftables_errors.
int cnftables_run(struct cnftables *context, const char *commands);

// What the last run printed; valid until the next one.
const char *cnftables_output(const struct cnftables *context);
const char *cnftables_errors(const struct cnftables *context);

#endif
