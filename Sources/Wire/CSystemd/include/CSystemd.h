// SPDX-License-Identifier: Apache-2.0

// The service side of sd_notify(3), which is a datagram: no need for libsystemd at run time.

#ifndef CSYSTEMD_H
#define CSYSTEMD_H

/// Sends one message to the socket that NOTIFY_SOCKET names; a leading "@" stands for the abstract namespace.
/// Returns 0, or the errno of what failed.
int csystemd_notify(const char *socket_path, const char *message);

#endif
