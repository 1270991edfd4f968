package server

import (
	"math"
	"testing"
	"time"
)

func TestOptionsHaveDefaultsThatAreNotZero(t *testing.T) {
	o := Options{}.withDefaults()
	for name, value := range map[string]int64{
		"Loops": int64(o.Loops), "MaxConnections": int64(o.MaxConnections), "BodyLimit": o.BodyLimit,
		"HeadTimeout": int64(o.HeadTimeout), "IdleTimeout": int64(o.IdleTimeout), "BodyTimeout": int64(o.BodyTimeout),
		"BodyRate": int64(o.BodyRate), "WriteTimeout": int64(o.WriteTimeout), "DrainLimit": o.DrainLimit,
		"LingerTimeout": int64(o.LingerTimeout), "LingerLimit": o.LingerLimit,
		"HeadLimits.Head": int64(o.HeadLimits.Head), "HeadLimits.Target": int64(o.HeadLimits.Target),
		"HeadLimits.Fields": int64(o.HeadLimits.Fields), "HeadLimits.ChunkOverhead": int64(o.HeadLimits.ChunkOverhead),
	} {
		if value <= 0 {
			t.Errorf("the default of %s should be more than zero, and is %d", name, value)
		}
	}
	if o.Logger == nil || o.Name == "" {
		t.Error("the defaults should have a logger and a name")
	}
}

func TestOptionsThatAreNegativeSwitchOff(t *testing.T) {
	o := Options{MaxConnections: -1, BodyLimit: -1, DrainLimit: -1, BodyRate: -1, IdleTimeout: -1}.withDefaults()
	if o.MaxConnections != math.MaxInt || o.BodyLimit != math.MaxInt64 || o.DrainLimit != 0 || o.BodyRate != 0 || o.IdleTimeout != -1 {
		t.Errorf("negative options should mean no limit, and became %+v", o)
	}
	if o := (Options{IdleTimeout: time.Second}).withDefaults(); o.IdleTimeout != time.Second {
		t.Errorf("an option that is set should stay, and became %v", o.IdleTimeout)
	}
}
