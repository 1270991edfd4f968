/*
 * download: what it costs to send 64 MiB before any HTTP.
 *
 * It parses nothing. As floor.c it is told how long a request is, and answers
 * each with the bytes of a file, the head, and then BLOCKS times the block of
 * bench/internal/service, in writes as large as the socket takes.
 *
 * Rules: those of floor.c, but that one event is followed by as many writes as
 * the socket takes something of.
 *
 * usage: download PORT HEAD-FILE REQUEST-LENGTH THREADS
 */
#include "answering.h"

enum {
    BLOCK = 64 * 1024,
    BLOCKS = 1024,
    RUN = 16 * BLOCK /* bytes in one write at most */
};

struct connection {
    uint32_t unfinished; /* bytes of the request that is still coming */
    uint32_t owed;       /* answers not yet taken by the socket as a whole */
    size_t sent;         /* bytes of the first of these */
};

/* Indexed by descriptor. An entry belongs to the thread that accepted it. */
static struct connection *connections;

static char head[MAX_ANSWER];
static size_t head_length;
static size_t request_length;

/* Block after block, so that RUN bytes follow wherever in a block one begins. */
static char blocks[RUN + BLOCK];

/* Sends what is owed. Returns -1 when the connection is lost. */
static int write_owed(int fd, struct connection *c)
{
    while (c->owed > 0) {
        ssize_t n;
        if (c->sent < head_length) {
            n = send(fd, head + c->sent, head_length - c->sent, MSG_NOSIGNAL | MSG_MORE);
        } else {
            size_t at = c->sent - head_length;
            size_t left = (size_t)BLOCK * BLOCKS - at;
            n = send(fd, blocks + at % BLOCK, left < RUN ? left : RUN, MSG_NOSIGNAL);
        }
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        c->sent += (size_t)n;
        if (c->sent == head_length + (size_t)BLOCK * BLOCKS) {
            c->sent = 0;
            c->owed--;
        }
    }
    return 0;
}

static void serve(int fd, char *buffer)
{
    struct connection *c = &connections[fd];
    for (;;) {
        if (write_owed(fd, c) < 0)
            break;
        if (c->owed > 0)
            return; /* EPOLLOUT comes when the peer has taken some */
        ssize_t n = recv(fd, buffer, READ_BUFFER, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            break;
        size_t got = c->unfinished + (size_t)n;
        c->unfinished = (uint32_t)(got % request_length);
        c->owed = (uint32_t)(got / request_length);
    }
    close(fd);
}

static void accepted(int fd)
{
    connections[fd] = (struct connection){0, 0, 0};
}

static void *loop(void *argument)
{
    serve_connections((int)(intptr_t)argument, accepted, serve);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 5 || atoi(argv[1]) <= 0 || atoi(argv[3]) <= 0 || atoi(argv[4]) <= 0) {
        fprintf(stderr, "usage: download PORT HEAD-FILE REQUEST-LENGTH THREADS\n");
        return 2;
    }
    head_length = load(argv[2], head);
    request_length = (size_t)atoi(argv[3]);
    for (size_t i = 0; i < sizeof blocks; i++)
        blocks[i] = (char)(i % BLOCK % 251);
    connections = calloc(MAX_DESCRIPTORS, sizeof *connections);
    if (connections == NULL)
        fail("memory for the connections");
    run_loops(atoi(argv[1]), atoi(argv[4]), loop);
    return 0;
}
