/*
 * What the floors have in common that answer each request by itself: their
 * loop, and what they are told to answer with.
 */
#ifndef ANSWERING_H
#define ANSWERING_H

#include "sockets.h"

enum { MAX_ANSWER = 16 * 1024 };

/* Reads a file into the MAX_ANSWER bytes at answer and returns its length. */
static size_t load(const char *path, char *answer)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail(path);
    size_t length = fread(answer, 1, MAX_ANSWER, file);
    fclose(file);
    if (length == 0 || length == MAX_ANSWER) {
        fprintf(stderr, "floor: %s must hold between 1 and %d bytes\n", path, MAX_ANSWER - 1);
        exit(1);
    }
    return length;
}

/* Serves the listener's connections. accepted is called with each new one, and
 * serve when one may be read or written, with READ_BUFFER bytes to read into;
 * serve closes it when it has ended. Does not return. */
static inline void serve_connections(int listener, void (*accepted)(int fd), void (*serve)(int fd, char *buffer))
{
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
                    accepted(fd);
            } else if (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
                close(fd);
            } else {
                serve(fd, buffer);
            }
        }
    }
}

#endif
