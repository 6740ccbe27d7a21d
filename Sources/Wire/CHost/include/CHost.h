// SPDX-License-Identifier: Apache-2.0

// What a daemon says to the system that it runs on.

#ifndef CHOST_H
#define CHOST_H

/// The service side of sd_notify(3), which is a datagram: no need for libsystemd at run time. Sends one message to the
/// socket that NOTIFY_SOCKET names; a leading "@" stands for the abstract namespace.
/// Returns 0, or the errno of what failed.
int chost_notify(const char *socket_path, const char *message);

/// Gives the pages of program code and constants back to the page cache, where those still needed are found again:
/// most of what a start touches is not touched again. Only what was never written is given back, so that nothing can
/// be lost.
void chost_release_code(void);

/// Has malloc(3) keep less of what was freed: one heap instead of one a thread, and what is larger than 128 KiB goes
/// back to the kernel as soon as it is freed. To be called before there is a second thread.
void chost_bound_memory(void);

/// Gives what malloc(3) keeps of freed memory back to the kernel.
void chost_release_memory(void);

#endif
