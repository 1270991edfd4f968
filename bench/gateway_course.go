package main

import (
	"math"
	"time"
)

// courseEvery is how far the moments of a course are apart.
const courseEvery = 250 * time.Millisecond

// A moment is what a gateway has passed on since it was started, and what it needs for that.
type moment struct {
	Seconds  float64 `json:"seconds"`                 // since the first of the course
	In       int64   `json:"bytes_in"`                // that it has read from its upstream
	Out      int64   `json:"bytes_out"`               // that it has written to its clients
	Queued   int64   `json:"bytes_in_kernel_buffers"` // of its connections, now
	Resident int64   `json:"resident_bytes"`          // memory of its processes, now
}

// A course is a measurement of a gateway over time. Time is handed in.
type course struct {
	moments    []moment
	began, due time.Time
}

// add adds a moment if one is due. One that could not be counted leaves the next count due.
func (c *course) add(at time.Time, now advance, resident func() (float64, error)) error {
	if len(c.moments) == 0 {
		c.began, c.due = at, at
	}
	if at.Before(c.due) {
		return nil
	}
	bytes, err := resident()
	if err != nil {
		return err
	}
	c.moments = append(c.moments, moment{
		Seconds: math.Round(at.Sub(c.began).Seconds()*1000) / 1000,
		In:      now.in, Out: now.out, Queued: now.queued, Resident: int64(bytes),
	})
	c.due = c.due.Add(at.Sub(c.due).Truncate(courseEvery) + courseEvery)
	return nil
}

// takeCourses gives each server the course that was measured last, and forgets them.
func (r *scenarioResult) takeCourses(courses map[string][]moment) {
	for i := range r.Servers {
		r.Servers[i].Course = courses[r.Servers[i].Label]
	}
	clear(courses)
}
