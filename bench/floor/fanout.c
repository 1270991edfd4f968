/*
 * fanout: what it costs to send one event to many subscribers before any HTTP.
 *
 * GET makes a connection a subscriber. POST makes its body an event: the chunk
 * that Penstock sends, made once, and written to every subscriber. What a real
 * server costs above one send(2) per subscriber is its own doing.
 *
 * Rules:
 *  1. One thread per core, each with its own SO_REUSEPORT listener, its own epoll
 *     and its own list of subscribers. A connection lives and dies in the thread
 *     that accepted it, registered once, as in floor.c.
 *  2. Events stand in one ring, in one order for all. The mutex guards the ring's
 *     end and what each lane has delivered, and is held for no write to a socket.
 *     A slot is used again only when every lane has delivered it; until then
 *     nothing changes it, so that lanes read it without the mutex.
 *  3. A POST wakes the other lanes through their eventfd, is answered, and then
 *     delivers in its own lane. 204 says that the event is taken, not delivered.
 *  4. A subscriber that does not take an event whole is shut down: there is no
 *     buffer per subscriber. It leaves the list when its own event comes, so
 *     that the list never changes while it is walked.
 *  5. A request comes in one read, as the subscribers program sends it, and its
 *     message is one line. Anything else is closed.
 *
 * usage: fanout PORT THREADS
 */
#include "sockets.h"

#include <stdbool.h>
#include <sys/eventfd.h>
#include <time.h>

enum {
    MAX_MESSAGE = 4096,
    EVENT_OVERHEAD = 96, /* chunk size, id, data and line ends */
    SLOTS = 1024,
    NO_SUBSCRIBER = -1
};

static const char stream_head[] =
    "HTTP/1.1 200 OK\r\n"
    "Server: floor\r\n"
    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    "Content-Type: text/event-stream\r\n"
    "Cache-Control: no-cache\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";
static const char taken[] = "HTTP/1.1 204 No Content\r\nServer: floor\r\n\r\n";
static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

struct slot {
    size_t length;
    char bytes[MAX_MESSAGE + EVENT_OVERHEAD];
};

/* A lane is one thread's part. The thread alone uses all but delivered and wake. */
struct lane {
    int wake;           /* an eventfd */
    uint64_t delivered; /* events; guarded by the mutex */
    int *subscribers;   /* descriptors */
    int count;
    char *buffer;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct slot *slots;
static uint64_t published; /* events; guarded by the mutex */
static struct lane *lanes;
static int lane_count;
static int lanes_running;

/* Index of a descriptor in its lane's list. An entry belongs to the thread that
 * accepted the connection. */
static int *position;

/* Writes what Penstock writes for an event: one chunk with an id and one line. */
static void make_event(struct slot *slot, uint64_t number, const char *message, size_t length)
{
    char id[64], size[16];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    unsigned long long milliseconds = (unsigned long long)now.tv_sec * 1000 + (unsigned long long)now.tv_nsec / 1000000;
    int id_length = snprintf(id, sizeof id, "id: %013llu-%llu\ndata: ", milliseconds, (unsigned long long)number);
    int size_length = snprintf(size, sizeof size, "%zx\r\n", (size_t)id_length + length + 2);
    char *end = slot->bytes;
    end = mempcpy(end, size, (size_t)size_length);
    end = mempcpy(end, id, (size_t)id_length);
    end = mempcpy(end, message, length);
    end = mempcpy(end, "\n\n\r\n", 4);
    slot->length = (size_t)(end - slot->bytes);
}

/* Puts the message into the ring and wakes the other lanes. Returns false when a
 * lane is late by the whole ring. */
static bool publish(struct lane *own, const char *message, size_t length)
{
    uint64_t one = 1;
    bool room = true;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < lane_count; i++)
        room = room && published - lanes[i].delivered < SLOTS;
    if (room) {
        make_event(&slots[published % SLOTS], published + 1, message, length);
        published++;
    }
    pthread_mutex_unlock(&mutex);
    for (int i = 0; room && i < lane_count; i++)
        if (&lanes[i] != own && write(lanes[i].wake, &one, sizeof one) < 0)
            fail("waking a lane");
    return room;
}

/* Writes what is new in the ring to the lane's subscribers. */
static void deliver(struct lane *lane)
{
    uint64_t next = lane->delivered; /* nobody else changes it */
    for (;;) {
        pthread_mutex_lock(&mutex);
        lane->delivered = next;
        uint64_t end = published;
        pthread_mutex_unlock(&mutex);
        if (next == end)
            return;
        for (; next < end; next++) {
            const struct slot *slot = &slots[next % SLOTS];
            for (int i = 0; i < lane->count; i++)
                if (send(lane->subscribers[i], slot->bytes, slot->length, MSG_NOSIGNAL) != (ssize_t)slot->length)
                    shutdown(lane->subscribers[i], SHUT_RDWR);
        }
    }
}

/* The answer to a GET. Returns false when the connection must be closed. */
static bool subscribe(struct lane *lane, int fd)
{
    if (position[fd] != NO_SUBSCRIBER || send(fd, stream_head, sizeof stream_head - 1, MSG_NOSIGNAL) != sizeof stream_head - 1)
        return false;
    position[fd] = lane->count;
    lane->subscribers[lane->count++] = fd;
    return true;
}

/* The answer to a POST, and the delivery. Returns false when the connection must be closed. */
static bool take_message(struct lane *lane, int fd, const char *request, size_t length)
{
    const char *body = strstr(request, "\r\n\r\n");
    const char *field = strcasestr(request, "\r\nContent-Length:");
    if (body == NULL || field == NULL || field > body)
        return false;
    body += 4;
    size_t size = strtoul(field + strlen("\r\nContent-Length:"), NULL, 10);
    if (size == 0 || size > MAX_MESSAGE || size != length - (size_t)(body - request))
        return false;
    bool room = publish(lane, body, size);
    const char *answer = room ? taken : busy;
    if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) != (ssize_t)strlen(answer))
        return false;
    deliver(lane);
    return true;
}

static void leave(struct lane *lane, int fd)
{
    int at = position[fd];
    if (at != NO_SUBSCRIBER) {
        int last = lane->subscribers[--lane->count];
        lane->subscribers[at] = last;
        position[last] = at;
        position[fd] = NO_SUBSCRIBER;
    }
    close(fd);
}

static void serve(struct lane *lane, int fd)
{
    for (;;) {
        ssize_t n = recv(fd, lane->buffer, READ_BUFFER - 1, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            break;
        lane->buffer[n] = '\0';
        bool goes_on = strncmp(lane->buffer, "GET ", 4) == 0 ? subscribe(lane, fd)
                     : strncmp(lane->buffer, "POST ", 5) == 0 ? take_message(lane, fd, lane->buffer, (size_t)n)
                     : false;
        if (!goes_on)
            break;
        if (n < READ_BUFFER - 1)
            return;
    }
    leave(lane, fd);
}

static void *loop(void *argument)
{
    struct lane *lane = &lanes[__atomic_fetch_add(&lanes_running, 1, __ATOMIC_RELAXED)];
    int listener = (int)(intptr_t)argument;
    int epoll = epoll_with(listener);
    struct epoll_event events[EVENTS_PER_WAIT];
    struct epoll_event waking = {.events = EPOLLIN | EPOLLET, .data.fd = lane->wake};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, lane->wake, &waking) < 0)
        fail("setting up a lane");
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS_PER_WAIT, -1);
        if (n < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                while ((fd = accept_connection(epoll, listener)) >= 0)
                    position[fd] = NO_SUBSCRIBER;
            } else if (fd == lane->wake) {
                deliver(lane); /* edge-triggered: the counter need not be read */
            } else if (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
                leave(lane, fd);
            } else if (events[i].events & EPOLLIN) {
                serve(lane, fd);
            }
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3 || atoi(argv[1]) <= 0 || atoi(argv[2]) <= 0) {
        fprintf(stderr, "usage: fanout PORT THREADS\n");
        return 2;
    }
    lane_count = atoi(argv[2]);
    lanes = calloc((size_t)lane_count, sizeof *lanes);
    slots = malloc(SLOTS * sizeof *slots);
    position = malloc(MAX_DESCRIPTORS * sizeof *position);
    if (lanes == NULL || slots == NULL || position == NULL)
        fail("memory for the lanes");
    for (int i = 0; i < lane_count; i++) {
        lanes[i].wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        lanes[i].subscribers = malloc(MAX_DESCRIPTORS * sizeof(int));
        lanes[i].buffer = malloc(READ_BUFFER);
        if (lanes[i].wake < 0 || lanes[i].subscribers == NULL || lanes[i].buffer == NULL)
            fail("setting up a lane");
    }
    run_loops(atoi(argv[1]), lane_count, loop);
    return 0;
}
