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
 *  5. Told to close, it closes a connection when the peer has got its answers.
 *
 * usage: floor PORT ANSWER-FILE REQUEST-LENGTH THREADS [close]
 */
#include "answering.h"

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
static int closes; /* after answering */

/* Sends what is owed at once. Returns -1 when the connection is lost, or is
 * closed because it has got its answers. */
static int write_owed(int fd, struct connection *c)
{
    size_t cut = (answer_length - c->owed % answer_length) % answer_length;
    ssize_t n = send(fd, answers + cut, c->owed, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    c->owed -= (uint32_t)n;
    return closes && c->owed == 0 ? -1 : 0;
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

static void accepted(int fd)
{
    connections[fd] = (struct connection){0, 0};
}

static void *loop(void *argument)
{
    serve_connections((int)(intptr_t)argument, accepted, serve);
    return NULL;
}

static void load_answers(const char *path)
{
    static char one[MAX_ANSWER];
    answer_length = load(path, one);
    size_t count = READ_BUFFER / request_length + 2;
    answers = malloc(count * answer_length);
    if (answers == NULL)
        fail("memory for the answers");
    for (size_t i = 0; i < count; i++)
        memcpy(answers + i * answer_length, one, answer_length);
}

int main(int argc, char **argv)
{
    closes = argc == 6 && strcmp(argv[5], "close") == 0;
    if (argc != 5 + closes || atoi(argv[1]) <= 0 || atoi(argv[3]) <= 0 || atoi(argv[4]) <= 0) {
        fprintf(stderr, "usage: floor PORT ANSWER-FILE REQUEST-LENGTH THREADS [close]\n");
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
