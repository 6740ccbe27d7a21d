// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE

#include "CLinux.h"

#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>

int clinux_enter_network_namespace(int descriptor) { return setns(descriptor, CLONE_NEWNET); }

int clinux_unshare_network_namespace(void) { return unshare(CLONE_NEWNET); }

int clinux_mount_shared(const char *path) { return mount("", path, "none", MS_SHARED | MS_REC, NULL); }

int clinux_mount_bind(const char *source, const char *target, int recursive) {
    return mount(source, target, "none", MS_BIND | (recursive ? MS_REC : 0), NULL);
}

int clinux_unmount_detached(const char *path) { return umount2(path, MNT_DETACH); }

const char *clinux_error_name(int number) { return strerrorname_np(number); }
