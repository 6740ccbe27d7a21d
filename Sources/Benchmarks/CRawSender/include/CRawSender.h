// SPDX-License-Identifier: Apache-2.0
//
// What the kernel itself costs: the messages of many peers, with as little around them as there can be. 32 peers a
// send(2), an answer asked for every message.
//
// Peer N, counted from one, is 10.0.0.0 + 256 N with a length of 24; its VTEP has the MAC address 02:00:00:00:00:00 + N
// and the public address 172.16.0.0 + N. The network namespace is the calling thread's.
// Every function returns 0, or the errno of what failed.

#ifndef CRAWSENDER_H
#define CRAWSENDER_H

// Neighbour, forwarding entry, next hop and route of each peer.
int craw_add(unsigned int device, unsigned int peers);

// The same of that one peer.
int craw_add_one(unsigned int device, unsigned int peer);

// The same, away.
int craw_remove(unsigned int device, unsigned int peers);

// Reads the four tables and counts what is in them.
int craw_list(unsigned int device, unsigned int *count);

#endif
