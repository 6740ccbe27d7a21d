// SPDX-License-Identifier: Apache-2.0

#include "CRawSender.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { peers_per_send = 32, origin = 116, buffer_size = 64 << 10 };

struct sender {
    int socket;
    uint32_t sequence;
    unsigned int waiting;
    size_t length;
    _Alignas(NLMSG_ALIGNTO) char buffer[buffer_size];
};

static int sender_open(struct sender *self) {
    self->socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (self->socket < 0) return errno;
    self->sequence = 0;
    self->waiting = 0;
    self->length = 0;
    int on = 1, size = 1 << 20;
    setsockopt(self->socket, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    setsockopt(self->socket, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
    setsockopt(self->socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    setsockopt(self->socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    return 0;
}

static struct nlmsghdr *message(
    struct sender *self, uint16_t type, uint16_t flags, const void *body, size_t size) {
    struct nlmsghdr *header = (struct nlmsghdr *)(self->buffer + self->length);
    *header = (struct nlmsghdr){
        .nlmsg_len = NLMSG_LENGTH(size),
        .nlmsg_type = type,
        .nlmsg_flags = NLM_F_REQUEST | flags,
        .nlmsg_seq = ++self->sequence,
    };
    memcpy(NLMSG_DATA(header), body, size);
    self->length += NLMSG_ALIGN(header->nlmsg_len);
    self->waiting++;
    return header;
}

static void attribute(struct sender *self, struct nlmsghdr *header, uint16_t type, const void *value, size_t size) {
    struct rtattr *attribute = (struct rtattr *)((char *)header + NLMSG_ALIGN(header->nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = RTA_LENGTH(size);
    memcpy(RTA_DATA(attribute), value, size);
    header->nlmsg_len = NLMSG_ALIGN(header->nlmsg_len) + RTA_LENGTH(size);
    self->length = (size_t)((char *)header - self->buffer) + NLMSG_ALIGN(header->nlmsg_len);
}

// Sends what there is and waits for every answer.
static int flush(struct sender *self) {
    if (self->waiting == 0) return 0;
    if (send(self->socket, self->buffer, self->length, 0) < 0) return errno;
    self->length = 0;
    while (self->waiting > 0) {
        _Alignas(NLMSG_ALIGNTO) char answers[8192];
        ssize_t count = recv(self->socket, answers, sizeof(answers), 0);
        if (count < 0) return errno;
        unsigned int rest = (unsigned int)count;
        for (struct nlmsghdr *header = (struct nlmsghdr *)answers; NLMSG_OK(header, rest);
             header = NLMSG_NEXT(header, rest)) {
            if (header->nlmsg_type != NLMSG_ERROR) continue;
            const struct nlmsgerr *answer = NLMSG_DATA(header);
            if (answer->error != 0) return -answer->error;
            self->waiting--;
        }
    }
    return 0;
}

static void neighbor(struct sender *self, uint16_t type, uint16_t flags, unsigned int device, uint32_t peer) {
    uint32_t gateway = htonl(0x0A000000u + (peer << 8));
    uint8_t mac[6] = {2, 0, 0, (uint8_t)(peer >> 16), (uint8_t)(peer >> 8), (uint8_t)peer};
    struct ndmsg body = {.ndm_family = AF_INET, .ndm_ifindex = (int)device, .ndm_state = NUD_PERMANENT};
    struct nlmsghdr *header = message(self, type, flags, &body, sizeof(body));
    attribute(self, header, NDA_DST, &gateway, sizeof(gateway));
    if (type == RTM_NEWNEIGH) attribute(self, header, NDA_LLADDR, mac, sizeof(mac));
}

static void forwarding(struct sender *self, uint16_t type, uint16_t flags, unsigned int device, uint32_t peer) {
    uint32_t address = htonl(0xAC100000u + peer);
    uint8_t mac[6] = {2, 0, 0, (uint8_t)(peer >> 16), (uint8_t)(peer >> 8), (uint8_t)peer};
    struct ndmsg body = {
        .ndm_family = AF_BRIDGE, .ndm_ifindex = (int)device, .ndm_state = NUD_PERMANENT, .ndm_flags = NTF_SELF};
    struct nlmsghdr *header = message(self, type, flags, &body, sizeof(body));
    attribute(self, header, NDA_LLADDR, mac, sizeof(mac));
    if (type == RTM_NEWNEIGH) attribute(self, header, NDA_DST, &address, sizeof(address));
}

static void next_hop(struct sender *self, uint16_t type, uint16_t flags, unsigned int device, uint32_t peer) {
    uint32_t id = 0x0A000000u + (peer << 8);
    uint32_t gateway = htonl(id);
    struct nhmsg body = {.nh_family = AF_UNSPEC};
    if (type == RTM_NEWNEXTHOP) body = (struct nhmsg){AF_INET, 0, origin, 0, RTNH_F_ONLINK};
    struct nlmsghdr *header = message(self, type, flags, &body, sizeof(body));
    attribute(self, header, NHA_ID, &id, sizeof(id));
    if (type != RTM_NEWNEXTHOP) return;
    attribute(self, header, NHA_GATEWAY, &gateway, sizeof(gateway));
    attribute(self, header, NHA_OIF, &device, sizeof(device));
}

static void route(struct sender *self, uint16_t type, uint16_t flags, uint32_t peer) {
    uint32_t id = 0x0A000000u + (peer << 8);
    uint32_t subnet = htonl(id);
    struct rtmsg body = {
        .rtm_family = AF_INET, .rtm_dst_len = 24, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = origin,
        .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST};
    if (type == RTM_DELROUTE) {
        body.rtm_scope = RT_SCOPE_NOWHERE;
        body.rtm_type = RTN_UNSPEC;
    }
    struct nlmsghdr *header = message(self, type, flags, &body, sizeof(body));
    attribute(self, header, RTA_DST, &subnet, sizeof(subnet));
    if (type == RTM_NEWROUTE) attribute(self, header, RTA_NH_ID, &id, sizeof(id));
}

static void add(struct sender *self, unsigned int device, uint32_t peer) {
    uint16_t flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    neighbor(self, RTM_NEWNEIGH, flags, device, peer);
    forwarding(self, RTM_NEWNEIGH, flags, device, peer);
    next_hop(self, RTM_NEWNEXTHOP, flags, device, peer);
    route(self, RTM_NEWROUTE, flags, peer);
}

static void take_away(struct sender *self, unsigned int device, uint32_t peer) {
    route(self, RTM_DELROUTE, NLM_F_ACK, peer);
    next_hop(self, RTM_DELNEXTHOP, NLM_F_ACK, device, peer);
    neighbor(self, RTM_DELNEIGH, NLM_F_ACK, device, peer);
    forwarding(self, RTM_DELNEIGH, NLM_F_ACK, device, peer);
}

static int each(unsigned int device, unsigned int peers, void (*put)(struct sender *, unsigned int, uint32_t)) {
    struct sender self;
    int result = sender_open(&self);
    if (result != 0) return result;
    for (uint32_t peer = 1; peer <= peers && result == 0; peer++) {
        put(&self, device, peer);
        if (peer % peers_per_send == 0 || peer == peers) result = flush(&self);
    }
    close(self.socket);
    return result;
}

int craw_add_one(unsigned int device, unsigned int peer) {
    struct sender self;
    int result = sender_open(&self);
    if (result != 0) return result;
    add(&self, device, peer);
    result = flush(&self);
    close(self.socket);
    return result;
}

int craw_add(unsigned int device, unsigned int peers) { return each(device, peers, add); }

int craw_remove(unsigned int device, unsigned int peers) { return each(device, peers, take_away); }

// Sends the one request that was put together and counts what it brings.
static int dump(struct sender *self, uint16_t type, unsigned int *count) {
    self->waiting = 0;
    if (send(self->socket, self->buffer, self->length, 0) < 0) return errno;
    self->length = 0;
    for (;;) {
        ssize_t size = recv(self->socket, self->buffer, sizeof(self->buffer), 0);
        if (size < 0) return errno;
        unsigned int rest = (unsigned int)size;
        for (struct nlmsghdr *header = (struct nlmsghdr *)self->buffer; NLMSG_OK(header, rest);
             header = NLMSG_NEXT(header, rest)) {
            if (header->nlmsg_type == NLMSG_DONE) return 0;
            if (header->nlmsg_type == NLMSG_ERROR) return -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
            if (header->nlmsg_type == type) (*count)++;
        }
    }
}

int craw_list(unsigned int device, unsigned int *count) {
    struct sender self;
    int result = sender_open(&self);
    if (result != 0) return result;
    *count = 0;
    const uint8_t families[] = {AF_INET, AF_BRIDGE};
    for (int index = 0; index < 2 && result == 0; index++) {
        struct ndmsg body = {.ndm_family = families[index]};
        struct nlmsghdr *header = message(&self, RTM_GETNEIGH, NLM_F_DUMP, &body, sizeof(body));
        attribute(&self, header, NDA_IFINDEX, &device, sizeof(device));
        result = dump(&self, RTM_NEWNEIGH, count);
    }
    if (result == 0) {
        struct nhmsg body = {.nh_family = AF_UNSPEC};
        struct nlmsghdr *header = message(&self, RTM_GETNEXTHOP, NLM_F_DUMP, &body, sizeof(body));
        attribute(&self, header, NHA_OIF, &device, sizeof(device));
        result = dump(&self, RTM_NEWNEXTHOP, count);
    }
    if (result == 0) {
        struct rtmsg body = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = origin};
        message(&self, RTM_GETROUTE, NLM_F_DUMP, &body, sizeof(body));
        result = dump(&self, RTM_NEWROUTE, count);
    }
    close(self.socket);
    return result;
}
