// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE

#include "CHost.h"

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int chost_notify(const char *socket_path, const char *message) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(socket_path);
    if (length == 0 || length >= sizeof(address.sun_path)) return EINVAL;
    memcpy(address.sun_path, socket_path, length);
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';

    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    // Never wait for a manager that does not read: the daemon has better things to do.
    ssize_t sent = sendto(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, size);
    int result = sent < 0 ? errno : 0;
    close(fd);
    return result;
}

static int release_object(struct dl_phdr_info *object, size_t size, void *context) {
    (void)size;
    (void)context;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[index];
        // A segment that may be written holds what the linker relocated: that exists nowhere else.
        if (part->p_type != PT_LOAD || part->p_flags & PF_W || part->p_memsz != part->p_filesz) continue;
        uintptr_t start = (object->dlpi_addr + part->p_vaddr + page - 1) & ~(page - 1);
        uintptr_t end = (object->dlpi_addr + part->p_vaddr + part->p_memsz) & ~(page - 1);
        // What the kernel does not give back stays; there is nothing to do about it.
        if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void chost_release_code(void) { dl_iterate_phdr(release_object, NULL); }

void chost_bound_memory(void) {
    mallopt(M_ARENA_MAX, 1);
    // Setting it also stops glibc from raising it to the largest block that was freed, which is what keeps a table's
    // outgrown halves in the heap for good.
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
}

void chost_release_memory(void) { malloc_trim(0); }
