/*
 * floor: what an HTTP server on epoll costs before it does any HTTP.
 *
 * It parses nothing. It is told how long a request is, and answers
 * floor(bytes read so far / length of a request) times with the bytes of a file.
 * What a real server costs above this is its parsing, its handlers and its
 * bookkeeping; what it costs below this is the kernel, which no server can save.
 *
 * Rules:
 *  1. One thread per core, each with its own SO_REUSEPORT listener and its own
 *     epoll. A connection lives and dies in the thread that accepted it.
 *  2. A connection is registered once, edge-triggered, for EPOLLIN, EPOLLOUT and
 *     EPOLLRDHUP; epoll_ctl is not called for it again.
 *  3. One read and one write per event. A read shorter than its buffer has
 *     drained the socket; only a full buffer is followed by another read.
 *  4. While answers are owed, nothing is read: what the peer does not take
 *     stops what the peer may ask for.
 *
 * usage: floor PORT ANSWER-FILE REQUEST-LENGTH THREADS
 */
#include "sockets.h"

enum { MAX_ANSWER = 16 * 1024 };

struct connection {
    uint32_t unfinished; /* bytes of the request that is still coming */
    uint32_t owed;       /* bytes of answers not yet taken by the socket */
};

/* Indexed by descriptor. An entry belongs to the thread that accepted it. */
static struct connection *connections;

/* Answers end to end, as many as one full read can ask for, and one more, so
 * that what is owed is always one run of bytes wherever it was cut. */
static char *answers;
static size_t answer_length;
static size_t request_length;

/* Sends what is owed at once. Returns -1 when the connection is lost. */
static int write_owed(int fd, struct connection *c)
{
    size_t cut = (answer_length - c->owed % answer_length) % answer_length;
    ssize_t n = send(fd, answers + cut, c->owed, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    c->owed -= (uint32_t)n;
    return 0;
}

static void serve(int fd, char *buffer)
{
    struct connection *c = &connections[fd];
    for (;;) {
        if (c->owed > 0 && write_owed(fd, c) < 0)
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
        c->owed = (uint32_t)(got / request_length * answer_length);
        if (n < READ_BUFFER) {
            if (c->owed > 0 && write_owed(fd, c) < 0)
                break;
            return;
        }
    }
    close(fd);
}

static void *loop(void *argument)
{
    int listener = (int)(intptr_t)argument;
    int epoll = epoll_with(listener);
    char *buffer = malloc(READ_BUFFER);
    struct epoll_event events[EVENTS_PER_WAIT];

    if (buffer == NULL)
        fail("memory for the read buffer");
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS_PER_WAIT, -1);
        if (n < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                while ((fd = accept_connection(epoll, listener)) >= 0)
                    connections[fd] = (struct connection){0, 0};
            } else if (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
                close(fd);
            } else {
                serve(fd, buffer);
            }
        }
    }
    return NULL;
}

static void load_answers(const char *path)
{
    static char one[MAX_ANSWER];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail(path);
    answer_length = fread(one, 1, sizeof one, file);
    fclose(file);
    if (answer_length == 0 || answer_length == sizeof one) {
        fprintf(stderr, "floor: %s must hold between 1 and %d bytes\n", path, MAX_ANSWER - 1);
        exit(1);
    }
    size_t count = READ_BUFFER / request_length + 2;
    answers = malloc(count * answer_length);
    if (answers == NULL)
        fail("memory for the answers");
    for (size_t i = 0; i < count; i++)
        memcpy(answers + i * answer_length, one, answer_length);
}

int main(int argc, char **argv)
{
    if (argc != 5 || atoi(argv[1]) <= 0 || atoi(argv[3]) <= 0 || atoi(argv[4]) <= 0) {
        fprintf(stderr, "usage: floor PORT ANSWER-FILE REQUEST-LENGTH THREADS\n");
        return 2;
    }
    request_length = (size_t)atoi(argv[3]);
    load_answers(argv[2]);
    connections = calloc(MAX_DESCRIPTORS, sizeof *connections);
    if (connections == NULL)
        fail("memory for the connections");
    run_loops(atoi(argv[1]), atoi(argv[4]), loop);
    return 0;
}
