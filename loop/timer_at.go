package loop

import "time"

// At returns the loop time that the timer is set to, rounded up to the wheel's millisecond.
func (t *Timer) At() time.Duration { return time.Duration(t.tick) * tickLength }
