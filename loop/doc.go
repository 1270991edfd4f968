// Package loop runs sockets, timers and posted work on event loops: one goroutine for
// each loop, one loop for each core, epoll underneath. It knows nothing of HTTP.
//
// A [Group] holds the loops of a server and [Listen] spreads connections over them.
// A connection embeds a [Socket], and a [Task] and a [Timer] when it needs them, and is
// told of readiness, turns and deadlines on its loop's goroutine. The example of the
// package is a whole echo server. [Socket.ConnectTCP] and [Socket.ConnectUnix] make
// connections the other way, also without waiting.
//
// # Who may call what
//
// All state of a loop, and of the sockets, tasks and timers that belong to it, is owned
// by the goroutine that is in [Loop.Run]. Every method may be called on that goroutine
// only, in a handler, a task, a timer or a post, unless its own comment says "any
// goroutine". [Loop.Post] is the only door into a loop from elsewhere. Before Run is
// called, the goroutine that made the loop may prepare things on it.
//
// What runs on a loop must not block: everything else on that loop waits for it. Work
// that blocks belongs to a [Pool], which posts its result back.
//
// # What a connection costs
//
// Socket, Task and Timer are embedded by their owner and take 112 bytes together, and a
// loop keeps one pointer for each descriptor number. Waiting, being woken, being
// scheduled and setting a timer allocate nothing and make no system call beyond the
// reads and writes that the owner asks for.
package loop
