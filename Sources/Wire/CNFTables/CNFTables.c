// SPDX-License-Identifier: Apache-2.0

#include "CNFTables.h"

#include <errno.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

struct cnftables {
    struct nft_ctx *nft;
    const char *output;
    const char *errors;
};

// libnftables ends the process (netlink_init_error) where it gets no socket, so that is found out before; and select(2),
// with which it waits (mnl_batch_talk), ends it where that socket's number is not below FD_SETSIZE. It gets the lowest
// number that is free, as the socket here does; the margin is for what other threads open meanwhile.
static int has_netfilter(void) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (descriptor < 0) return 0;
    close(descriptor);
    if (descriptor >= FD_SETSIZE - 128) {
        errno = EMFILE;
        return 0;
    }
    return 1;
}

struct cnftables *cnftables_open(void) {
    if (!has_netfilter()) return NULL;
    struct cnftables *context = calloc(1, sizeof(*context));
    if (!context) return NULL;
    context->nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!context->nft || nft_ctx_buffer_output(context->nft) || nft_ctx_buffer_error(context->nft)) {
        cnftables_close(context);
        errno = ENOMEM;
        return NULL;
    }
    // Numbers, not the names that this host's files give them; no counters.
    nft_ctx_output_set_flags(
        context->nft, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_NUMERIC_ALL | NFT_CTX_OUTPUT_STATELESS);
    context->output = "";
    context->errors = "";
    return context;
}

void cnftables_close(struct cnftables *context) {
    if (!context) return;
    if (context->nft) nft_ctx_free(context->nft);
    free(context);
}

int cnftables_run(struct cnftables *context, const char *commands) {
    int status = nft_run_cmd_from_buffer(context->nft, commands);
    // Fetching the buffers also empties them, so both are fetched each time.
    const char *output = nft_ctx_get_output_buffer(context->nft);
    const char *errors = nft_ctx_get_error_buffer(context->nft);
    context->output = output ? output : "";
    context->errors = errors ? errors : "";
    return status == 0 ? 0 : -1;
}

const char *cnftables_output(const struct cnftables *context) { return context->output; }

const char *cnftables_errors(const struct cnftables *context) { return context->errors; }
