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
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_BUFFER = 64 * 1024,
    MAX_ANSWER = 16 * 1024,
    MAX_DESCRIPTORS = 1 << 20,
    EVENTS_PER_WAIT = 512,
    BACKLOG = 4096
};

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
static int port;

static void fail(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_on_port(void)
{
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        fail("setsockopt on the listener");
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("bind");
    if (listen(fd, BACKLOG) < 0)
        fail("listen");
    return fd;
}

static void accept_all(int epoll, int listener)
{
    for (;;) {
        int on = 1;
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return; /* EAGAIN; any other failure shows as a missing answer */
        if (fd >= MAX_DESCRIPTORS) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[fd] = (struct connection){0, 0};
        struct epoll_event event = {
            .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
            .data.fd = fd,
        };
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
            close(fd);
    }
}

/* Writes what is owed in one write. Returns -1 when the connection is lost. */
static int write_owed(int fd, struct connection *c)
{
    size_t cut = (answer_length - c->owed % answer_length) % answer_length;
    ssize_t n = write(fd, answers + cut, c->owed);
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
        ssize_t n = read(fd, buffer, READ_BUFFER);
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
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    char *buffer = malloc(READ_BUFFER);
    struct epoll_event events[EVENTS_PER_WAIT];
    struct epoll_event accepting = {.events = EPOLLIN | EPOLLET, .data.fd = listener};

    if (epoll < 0 || buffer == NULL || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &accepting) < 0)
        fail("setting up a loop");
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS_PER_WAIT, -1);
        if (n < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                accept_all(epoll, listener);
            else if (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
                close(fd);
            else
                serve(fd, buffer);
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
    port = atoi(argv[1]);
    request_length = (size_t)atoi(argv[3]);
    int threads = atoi(argv[4]);
    load_answers(argv[2]);
    signal(SIGPIPE, SIG_IGN);
    connections = calloc(MAX_DESCRIPTORS, sizeof *connections);
    if (connections == NULL)
        fail("memory for the connections");

    /* Every listener is bound before the address is announced: a connection
     * made before that would stay with the listeners that were there. */
    int *listeners = malloc((size_t)threads * sizeof *listeners);
    if (listeners == NULL)
        fail("memory for the listeners");
    for (int i = 0; i < threads; i++)
        listeners[i] = listen_on_port();
    for (int i = 1; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, loop, (void *)(intptr_t)listeners[i]) != 0)
            fail("pthread_create");
    }
    printf("listening on http://127.0.0.1:%d\n", port);
    fflush(stdout);
    loop((void *)(intptr_t)listeners[0]);
    return 0;
}
