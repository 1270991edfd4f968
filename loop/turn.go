package loop

import "runtime/debug"

// A Panicker wants to know of its own panics. When a SocketHandler, Runner or Expirer
// panics and implements Panicker, Panicked is called on the loop's goroutine with the
// value and the stack, instead of writing both to the log. A handler's socket is still
// attached then, so that it may write its last bytes; it is closed afterwards.
type Panicker interface {
	Panicked(value any, stack []byte)
}

// turns drives a loop. It is a type of its own so that the methods a poller calls are
// not methods of Loop.
type turns struct{ l *Loop }

// Event is the turn of a socket that became ready.
func (t turns) Event(fd int, r Readiness) bool {
	l := t.l
	l.beginTurn()
	l.deliver(fd, r)
	l.endTurn()
	return true
}

// Alarm is the turn of the timers that are due.
func (t turns) Alarm() bool {
	l := t.l
	l.beginTurn()
	l.alarmAt = noTick
	l.expireTimers()
	l.endTurn()
	return true
}

// Woken is the turn of posts and of the tasks that were put off.
func (t turns) Woken() bool {
	l := t.l
	l.beginTurn()
	stopping := l.takePosts()
	l.tasks.callPutOff()
	l.runPosts()
	l.endTurn()
	return !stopping
}

// BatchEnded closes the descriptors of the sockets that were closed during the batch.
func (t turns) BatchEnded() { t.l.closeDescriptors() }

func (l *Loop) beginTurn() {
	l.turn++
	l.inTurn = true
	l.tasks.taken = 0
	l.knowsNow = false
	if m := l.mark.Load(); m == markResting || m == markAsleep {
		l.turnBegan()
	}
}

func (l *Loop) endTurn() {
	l.runTasks()
	l.setAlarm()
	l.inTurn = false
	if l.tasks.later.length > 0 {
		l.wake()
	}
	if m := l.mark.Load(); m == markAsked || m == markStuck {
		l.turnEnded()
	}
}

// deliver hands an event to the socket with that descriptor. An event that is left over
// from a socket that was closed finds none.
func (l *Loop) deliver(fd int, r Readiness) {
	if fd >= len(l.sockets) {
		return
	}
	s := l.sockets[fd]
	if s == nil {
		return
	}
	if s.connecting == 0 {
		s.state |= r.implied()
	} else {
		s.connectEvent(r)
	}
	if !l.callHandler(s, r) {
		s.Close()
	}
}

// callHandler reports whether the handler returned; false means that it panicked.
func (l *Loop) callHandler(s *Socket, r Readiness) (returned bool) {
	defer l.rescue()
	l.running = s.handler
	s.handler.SocketEvent(r)
	l.running = nil
	return true
}

// rescue is deferred around everything that is not the loop's own. After a panic it
// tells whom it concerns, and the function that deferred it returns its zero results.
func (l *Loop) rescue() {
	value := recover()
	if value == nil {
		return
	}
	stack := debug.Stack()
	owner := l.running
	l.running = nil
	if p, ok := owner.(Panicker); ok {
		l.tellPanicker(p, value, stack)
		return
	}
	l.logger.Error("loop: panic on the loop's goroutine", "panic", value, "in", ownerName(owner), "stack", string(stack))
}

// tellPanicker survives a Panicked that panics itself: then both are logged.
func (l *Loop) tellPanicker(p Panicker, value any, stack []byte) {
	defer func() {
		if second := recover(); second != nil {
			l.logger.Error("loop: panic while cleaning up after a panic", "panic", second, "first", value,
				"in", ownerName(p), "stack", string(stack))
		}
	}()
	p.Panicked(value, stack)
}
