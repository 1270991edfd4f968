package loop

// Post hands fn to the loop: it runs there once, in a turn soon, in the order in which
// the posts came. What is posted while posts run waits for the next turn, so that posts
// that post again do not keep sockets waiting. Once the loop has stopped Post returns
// ErrStopped, and fn never runs. Accepted before Run, fn runs when the loop does.
// Any goroutine.
func (l *Loop) Post(fn func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sealed {
		return ErrStopped
	}
	l.posts = append(l.posts, fn)
	l.wakeLocked()
	return nil
}

// keptPosts is the longest batch whose memory is kept for the next.
const keptPosts = 1024

// takePosts makes the posts that have come this turn's batch and leaves the memory of
// the last batch to those to come. The wake-up has arrived: from here on, whoever posts
// sends another. It reports whether the loop is to end.
func (l *Loop) takePosts() (stopping bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.woken = false
	l.posts, l.batch = l.batch[:0], l.posts
	return l.stopping
}

// runPosts runs the batch. A post that panics does not keep the others from running.
func (l *Loop) runPosts() {
	for !l.runPostsUntilPanic() {
	}
	l.batchRun = 0
	l.batch = l.batch[:0]
	if cap(l.batch) > keptPosts {
		l.batch = nil
	}
}

func (l *Loop) runPostsUntilPanic() (done bool) {
	defer l.rescue()
	for l.batchRun < len(l.batch) {
		fn := l.batch[l.batchRun]
		l.batch[l.batchRun] = nil
		l.batchRun++
		fn()
	}
	return true
}
