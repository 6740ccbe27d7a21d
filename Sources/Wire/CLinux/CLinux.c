// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE

// First, for the same reason as in the header.
#include <net/if.h>
#include <net/if_arp.h>

#include "CLinux.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

int clinux_enter_network_namespace(int descriptor) { return setns(descriptor, CLONE_NEWNET); }

int clinux_unshare_network_namespace(void) { return unshare(CLONE_NEWNET); }

int clinux_mount_shared(const char *path) { return mount("", path, "none", MS_SHARED | MS_REC, NULL); }

int clinux_mount_bind(const char *source, const char *target, int recursive) {
    return mount(source, target, "none", MS_BIND | (recursive ? MS_REC : 0), NULL);
}

int clinux_unmount_detached(const char *path) { return umount2(path, MNT_DETACH); }

int clinux_ignore_port(int descriptor, unsigned int port) {
    // The load takes four bytes as a big-endian number; the kernel wrote them in this machine's order.
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof program[0], .filter = program};
    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

int clinux_look_at_interface(int descriptor, const char *name, struct clinux_interface *found) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    memset(found, 0, sizeof *found);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(descriptor, SIOCGIFINDEX, &request) != 0) return -1;
    found->index = request.ifr_ifindex;
    if (ioctl(descriptor, SIOCGIFFLAGS, &request) != 0) return -1;
    found->flags = (unsigned short)request.ifr_flags;
    if (ioctl(descriptor, SIOCGIFMTU, &request) != 0) return -1;
    found->mtu = (unsigned int)request.ifr_mtu;
    if (ioctl(descriptor, SIOCGIFHWADDR, &request) != 0) return -1;
    found->has_mac = request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
    memcpy(found->mac, request.ifr_hwaddr.sa_data, sizeof found->mac);
    return 0;
}

int clinux_send_apart(int descriptor, const void *bytes, size_t size) {
    pid_t child = fork();
    if (child != 0) return child < 0 ? -1 : 0;
    // Whoever waits for the end of our output must not wait for this process.
    if (dup2(descriptor, 0) == 0 && close_range(1, ~0U, 0) != 0) {
        close(1);
        close(2);
    }
    send(0, bytes, size, MSG_NOSIGNAL);
    _exit(0);
}

const char *clinux_error_name(int number) { return strerrorname_np(number); }
