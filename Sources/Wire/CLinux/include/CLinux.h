// SPDX-License-Identifier: Apache-2.0
//
// The kernel's own headers for rtnetlink and nftables' notifications, and the few calls that glibc shows only under _GNU_SOURCE.
// Every function returns what the call returns, or -1 with errno set.

#ifndef CLINUX_H
#define CLINUX_H

// First, so that the kernel's headers leave out what glibc has (linux/libc-compat.h).
#include <netinet/in.h>

#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stddef.h>

// setns(2): puts the calling thread into the network namespace of the descriptor.
int clinux_enter_network_namespace(int descriptor);

// unshare(2): puts the calling thread into a new network namespace.
int clinux_unshare_network_namespace(void);

// mount(2): makes the mount at path one that passes its own mounts on.
int clinux_mount_shared(const char *path);

// mount(2): shows source at target.
int clinux_mount_bind(const char *source, const char *target, int recursive);

// umount2(2): takes the mount out of sight now and away when nobody uses it any more.
int clinux_unmount_detached(const char *path);

// socket(7), SO_ATTACH_FILTER: drops every netlink message whose nlmsg_pid is the port.
int clinux_ignore_port(int descriptor, unsigned int port);

// What netdevice(7) tells of an interface.
struct clinux_interface {
    int index;
    // IFF_UP and so on.
    unsigned short flags;
    unsigned int mtu;
    // Whether it has a MAC address at all (ARPHRD_ETHER).
    int has_mac;
    unsigned char mac[6];
};

// ioctl(2), SIOCGIF...: looks at an interface of the namespace that the socket, of whatever kind, is of. Unlike RTM_GETLINK
// this does not wait for whoever holds the kernel's lock on the network's configuration.
int clinux_look_at_interface(int descriptor, const char *name, struct clinux_interface *found);

// fork(2): send(2) in a process of its own, which has nothing else of ours open and ends when the call returns. Tells
// whether that process was made; 0 or -1.
int clinux_send_apart(int descriptor, const void *bytes, size_t size);

// strerrorname_np(3): "ENOENT"; NULL for what is no error number.
const char *clinux_error_name(int number);

#endif
