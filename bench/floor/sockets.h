/*
 * What the floors have in common: one thread per core with a SO_REUSEPORT
 * listener of its own, and connections that are registered with epoll once.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

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
    MAX_DESCRIPTORS = 1 << 20,
    EVENTS_PER_WAIT = 512,
    BACKLOG = 4096
};

static void fail(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_on_port(int port)
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

/* Accepts a connection and registers it, edge-triggered for everything, so that
 * epoll_ctl need not be called for it again. Returns its descriptor, which is
 * below MAX_DESCRIPTORS, or -1 when none is left to accept. */
static int accept_connection(int epoll, int listener)
{
    for (;;) {
        int on = 1;
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return -1; /* EAGAIN; any other failure shows as a missing answer */
        struct epoll_event event = {
            .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
            .data.fd = fd,
        };
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (fd < MAX_DESCRIPTORS && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0)
            return fd;
        close(fd);
    }
}

/* Makes an epoll that watches the descriptor, edge-triggered, for reading. */
static int epoll_with(int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = fd};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        fail("setting up a loop");
    return epoll;
}

/* Runs the loop in as many threads, each with a listener, which it gets as an
 * intptr_t for its argument. Does not return. */
static void run_loops(int port, int threads, void *(*loop)(void *))
{
    /* Every listener is bound before the address is announced: a connection
     * made before that would stay with the listeners that were there. */
    int *listeners = malloc((size_t)threads * sizeof *listeners);
    if (listeners == NULL)
        fail("memory for the listeners");
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < threads; i++)
        listeners[i] = listen_on_port(port);
    for (int i = 1; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, loop, (void *)(intptr_t)listeners[i]) != 0)
            fail("pthread_create");
    }
    printf("listening on http://127.0.0.1:%d\n", port);
    fflush(stdout);
    loop((void *)(intptr_t)listeners[0]);
}

#endif
