package main

import (
	"slices"
	"time"
)

const plaintextConnections = 64

// The loads of the scenarios that are one load.
var (
	loadPipelined     = load{tool: toolWrk, connections: plaintextConnections, depth: pipelineDepth, asks: askGreeting}
	loadJSON          = wrkLoadOf(plaintextConnections, askJSON)
	loadEcho          = wrkLoadOf(plaintextConnections, askEcho)
	loadScript        = wrkLoadOf(plaintextConnections, askScript)
	loadAdapter       = wrkLoadOf(plaintextConnections, askAdapter)
	loadDownload      = wrkLoadOf(downloadConnections, askDownload)
	loadNewConnection = load{tool: toolAB, connections: plaintextConnections, asks: askGreeting}
	loadKeepAlive     = load{tool: toolAB, connections: plaintextConnections, keepAlive: true, asks: askGreeting}
)

func wrkLoadOf(connections int, asks exchange) load {
	return load{tool: toolWrk, connections: connections, asks: asks}
}

var scenarios = slices.Concat(serverScenarios, gatewayScenarios)

var serverScenarios = []scenario{
	plaintext("hello-1", "hello, 1 connection", 1),
	plaintext("hello", "hello, 64 connections", plaintextConnections,
		target{key: keyCPU, against: floorName, bound: 1.10}),
	plaintext("hello-256", "hello, 256 connections", 256),
	{
		name: "connections", title: "hello, 1,000 connections", role: roleHello, load: wrkLoadOf(1000, askGreeting),
		measures: measuresOfLoad(measureRate, measureCPU),
		targets: []target{
			{key: keyRate, against: fasthttpName, atLeast: true, bound: 1.25},
			{key: keyRate, against: nethttpName, atLeast: true, bound: 1.4},
		},
		takes: oneLoad, measure: loadMeasurement(roleHello, wrkLoadOf(1000, askGreeting)),
	},
	{
		name: "pipelined", title: "hello, 64 connections, 16 requests pipelined", role: roleHello, load: loadPipelined,
		measures: measuresOfPipelining(),
		targets: []target{
			{key: keyCPU, against: floorName, bound: 1.35},
			{key: keyRate, against: fasthttpName, atLeast: true, bound: 1.4},
		},
		takes: oneLoad, measure: loadMeasurement(roleHello, loadPipelined),
	},
	{
		name: "json", title: "a small struct as JSON, 64 connections", role: roleService, load: loadJSON,
		without:  []string{nginxName}, // it encodes nothing
		measures: measuresOfLoad(measureCPU, measureRate),
		targets:  []target{{key: keyCPU, against: fasthttpName, bound: 0.9}},
		takes:    oneLoad, measure: loadMeasurement(roleService, loadJSON),
	},
	{
		name: "echo-1k", title: "1 KiB posted and echoed, 64 connections", role: roleService, load: loadEcho,
		without:  []string{nginxName}, // it does nothing with bodies
		measures: measuresOfLoad(measureCPU, measureRate),
		takes:    oneLoad, measure: loadMeasurement(roleService, loadEcho),
	},
	{
		name: "new-connection", title: "a connection for each request, 64 at a time", role: roleHello, load: loadNewConnection,
		measures: measuresOfLoad(measureRate, measureCPU),
		takes:    oneLoad, measure: loadMeasurement(roleHello, loadNewConnection),
	},
	{
		name: "keep-alive-ab", title: "hello in HTTP/1.0 with keep-alive, 64 connections", role: roleHello, load: loadKeepAlive,
		measures: measuresOfLoad(measureCPU, measureRate),
		takes:    oneLoad, measure: loadMeasurement(roleHello, loadKeepAlive),
	},
	{
		name: "download", title: "64 MiB downloaded, 4 connections", role: roleDownload, load: loadDownload,
		measures: measuresOfLoad(measureGibibyteCPU, measureBytesRate),
		takes:    oneLoad, measure: downloadFrom(roleDownload),
	},
	{
		name: "upload", title: "256 MiB uploaded, 1 connection", role: roleUpload,
		without:  []string{floorName, nginxName}, // they read no bodies
		measures: measuresOfUpload(),
		takes:    oneLoad, measure: uploadTo(roleUpload, 0),
	},
	{
		name: "idle", title: "idle keep-alive connections", role: roleHello,
		without: []string{floorName}, // its whole state is 8 bytes in an array
		measures: []measure{
			less(keyIdleMemory, "memory of the server per connection", unitByte),
			figure(keyResidentAt(0), "memory with 0 connections", unitMebibyte),
			figure(keyResidentAt(1000), "memory with 1,000 connections", unitMebibyte),
			figure(keyResidentAt(5000), "memory with 5,000 connections", unitMebibyte),
			figure(keyResidentAt(15000), "memory with 15,000 connections", unitMebibyte),
		},
		targets: []target{{key: keyIdleMemory, bound: 400}},
		takes:   takes(0, 5), measure: measureIdle,
	},
	fanout("fanout-100", "one event to 100 subscribers", 100),
	fanout("fanout-1000", "one event to 1,000 subscribers", 1000),
	fanout("fanout", "one event to all subscribers", 0,
		target{key: keyDeliveryCPU, against: floorName, bound: 1.20}),
	{
		name: "subscribers", title: "subscribers that wait for an event", role: roleFanout,
		without: []string{floorName}, // its whole state is 8 bytes in two arrays
		measures: []measure{
			less(keySubscriberMemory, "memory of the server per subscriber", unitByte),
			figure(keyGoroutinesBefore, "goroutines before the subscribers", unitOne),
			figure(keyGoroutinesAdded, "goroutines that the subscribers added", unitOne),
		},
		targets: []target{{key: keySubscriberMemory, bound: 700}, {key: keyGoroutinesAdded, bound: 0}},
		takes:   takes(0, 5), measure: measureSubscribers,
	},
	{
		name: "slow-readers", title: "200 downloads at 1 MB/s, and fast requests beside them", role: roleDownload, load: wrkLoadOf(1, askGreeting),
		without: []string{floorName}, // its download answers nothing else
		measures: []measure{
			less(keyGibibyteCPU, "CPU of the server per GiB", unitMillisecond),
			less(keyReaderMemory, "memory of the server per reader", unitKibibyte),
			figure(keyBytesRate, "bytes per second to all readers", unitMebibytePerSecond),
			less(keyLatencyP99, "99th percentile of a fast request's latency beside them", unitMillisecondFine),
			figure(keyLatencyP99+suffixAlone, "the same without readers", unitMillisecondFine),
			figure(keyLatencyRatio, "the one over the other", unitRatio),
			figure(keyPeakMemory, "peak memory of the server", unitMebibyte),
			figure(keyFailed, "failed requests", unitOne),
		},
		takes: takes(3, 3), measure: measureSlowReaders,
	},
	{
		name: "blocking", title: "fast requests, 1,000 connections, beside 64 that block for a second", role: roleService,
		load:    wrkLoadOf(fastConnections, askGreeting),
		without: []string{floorName, nginxName}, // they have no handlers that could block
		measures: append([]measure{
			less(keyLatencyRatio, "99th percentile of latency, with blocking over without", unitRatio),
			less(keyLatencyP99, "99th percentile of latency, with blocking", unitMillisecondFine),
			figure(keyLatencyP99+suffixAlone, "99th percentile of latency, without blocking", unitMillisecondFine),
			measureRate,
			figure(keyRate+suffixAlone, "requests per second, without blocking", unitOne),
		}, measuresBesides...),
		targets: []target{{key: keyLatencyRatio, bound: 1.3}},
		takes:   takes(2, 4), measure: measureBlocking,
	},
	{
		name: "routing", title: "one of 500 routes, 64 connections", role: roleService, second: roleHello, load: wrkLoadOf(plaintextConnections, askRouted),
		without: []string{floorName, nginxName, gnetName}, // they have no router
		measures: measuresOfLoad(measureCPU, measureRate,
			figure(keyCPU+suffixAlone, "CPU per request of the server without routes", unitMicrosecond),
			less(keyCPURatio, "the one over the other", unitRatio),
			figure(keyCPUAdded, "CPU that routing adds to a request", unitMicrosecond)),
		takes: takes(2, 1), measure: measureRouting,
	},
	{
		name: "script", title: "1 KiB echoed by a script, beside the same as stages", role: roleService, load: loadScript,
		only: []string{penstockName},
		measures: measuresOfLoad(
			figure(keyCPURatio, "CPU of a script over that of stages", unitRatio), measureCPU, measureRate,
			figure(keyCPU+suffixAlone, "CPU per request as stages", unitMicrosecond)),
		targets: []target{{key: keyCPURatio, bound: 1.1}},
		takes:   takes(2, 1), measure: besideAnother(roleService, loadScript, askStages),
	},
	{
		name: "adapter", title: "a net/http handler through the adapter, 64 connections", role: roleService, load: loadAdapter,
		only:     []string{penstockName, nethttpName},
		measures: measuresOfLoad(measureRate, measureCPU),
		targets:  []target{{key: keyRate, against: nethttpName, atLeast: true, bound: 0.9}},
		takes:    oneLoad, measure: loadMeasurement(roleService, loadAdapter),
	},
	{
		name: "echo", title: "echo to a client that reads slowly", role: roleEcho, once: true,
		measures: []measure{
			less(keyPeakMemory, "peak memory of the server", unitMebibyte),
			figure(keyUnderWay, "most bytes sent but not yet read", unitMebibyte),
		},
		targets: []target{{key: keyPeakMemory, bound: 64 << 20}},
		takes: func(s settings) time.Duration {
			return time.Duration(s.EchoBytes/echoBytesPerSecond+1) * time.Second
		},
		measure: measureEcho,
	},
	{
		name: "soak", title: "four events a second, some subscribers stalled", role: roleFanout, once: true, extra: true,
		without: []string{floorName, nethttpName, fasthttpName, hertzName}, // they do nothing about stalled subscribers
		measures: []measure{
			figure(keySoakWith+keyLatencyP99, "99th percentile of latency, some stalled", unitMillisecond),
			figure(keySoakWithout+keyLatencyP99, "99th percentile of latency, none stalled", unitMillisecond),
			figure(keySoakLatencyRatio, "99th percentile of latency, some stalled over none", unitRatio),
			figure(keySoakMissing, "deliveries missing", unitOne),
			figure(keySoakReopened, "stalled subscribers closed by the server", unitOne),
			figure(keySoakGrowth, "growth of memory after the first tenth", unitMebibyte),
			figure(keySoakGrowthRatio, "memory at the end over that after the first tenth", unitRatio),
		},
		targets: []target{
			{key: keySoakLatencyRatio, bound: 1.5},
			{key: keySoakMissing, bound: 0},
			{key: keySoakGrowthRatio, bound: 1.10},
		},
		takes:   func(s settings) time.Duration { return time.Duration(2*s.SoakSeconds+10) * time.Second },
		measure: measureSoak,
	},
}

// plaintext is the greeting at so many connections.
func plaintext(name, title string, connections int, targets ...target) scenario {
	l := wrkLoadOf(connections, askGreeting)
	return scenario{
		name: name, title: title, role: roleHello, load: l,
		measures: measuresOfLoad(measureCPU, measureRate), targets: targets,
		takes: oneLoad, measure: loadMeasurement(roleHello, l),
	}
}

// fanout is one event after another to so many subscribers, 0 for those of the settings.
func fanout(name, title string, most int, targets ...target) scenario {
	measures := []measure{
		less(keyDeliveryCPU, "CPU of the server per delivery", unitMicrosecond),
		more(keyDeliveryRate, "deliveries per second", unitOne),
	}
	measures = append(measures, measuresLatency...)
	return scenario{
		name: name, title: title, role: roleFanout,
		measures: append(measures, measuresBesides...), targets: targets,
		takes: takes(1, 2), measure: fanoutTo(most),
	}
}

// takes estimates a measurement of so many loads and seconds besides.
func takes(loads, seconds int) func(settings) time.Duration {
	return func(s settings) time.Duration {
		return time.Duration(loads*(s.WarmUp+s.Seconds)+seconds)*time.Second + 300*time.Millisecond
	}
}

func oneLoad(s settings) time.Duration { return takes(1, 0)(s) }
